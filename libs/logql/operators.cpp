#include "libs/logql/operators.hpp"

#include <array>
#include <cstddef>

namespace vigia::logql {
namespace {

struct RangeFacts {
  std::string_view name;
  bool of_lines;
  bool of_unwrapped;
  bool is_grouped;
};

// In the order of RangeOperator.
constexpr std::array<RangeFacts, 15> kRangeOperators{{{"absent_over_time", true, true, false},
                                                      {"avg_over_time", false, true, true},
                                                      {"bytes_over_time", true, false, false},
                                                      {"bytes_rate", true, false, false},
                                                      {"count_over_time", true, false, false},
                                                      {"first_over_time", false, true, true},
                                                      {"last_over_time", false, true, true},
                                                      {"max_over_time", false, true, true},
                                                      {"min_over_time", false, true, true},
                                                      {"quantile_over_time", false, true, true},
                                                      {"rate", true, true, false},
                                                      {"rate_counter", false, true, false},
                                                      {"stddev_over_time", false, true, true},
                                                      {"stdvar_over_time", false, true, true},
                                                      {"sum_over_time", false, true, false}}};

// In the order of VectorOperator, Comparison, LineTest.
constexpr std::array<std::string_view, 11> kVectorOperators{
    "avg",       "bottomk", "count",  "max", "min", "sort",
    "sort_desc", "stddev",  "stdvar", "sum", "topk"};
constexpr std::array<std::string_view, 6> kComparisons{"==", "!=", ">", ">=", "<", "<="};
constexpr std::array<std::string_view, 6> kLineTests{"|=", "!=", "|~", "!~", "|>", "!>"};

const RangeFacts& facts_of(RangeOperator op) {
  return kRangeOperators.at(static_cast<std::size_t>(op));
}

}  // namespace

std::string_view to_string(RangeOperator op) { return facts_of(op).name; }

std::string_view to_string(VectorOperator op) {
  return kVectorOperators.at(static_cast<std::size_t>(op));
}

std::optional<RangeOperator> find_range_operator(std::string_view name) {
  for (std::size_t i = 0; i < kRangeOperators.size(); ++i) {
    if (kRangeOperators.at(i).name == name) return static_cast<RangeOperator>(i);
  }
  return std::nullopt;
}

std::optional<VectorOperator> find_vector_operator(std::string_view name) {
  for (std::size_t i = 0; i < kVectorOperators.size(); ++i) {
    if (kVectorOperators.at(i) == name) return static_cast<VectorOperator>(i);
  }
  return std::nullopt;
}

bool takes_lines(RangeOperator op) { return facts_of(op).of_lines; }
bool takes_unwrapped(RangeOperator op) { return facts_of(op).of_unwrapped; }
bool takes_grouping(RangeOperator op) { return facts_of(op).is_grouped; }

bool takes_grouping(VectorOperator op) {
  return op != VectorOperator::kSort && op != VectorOperator::kSortDesc;
}

bool takes_parameter(VectorOperator op) {
  return op == VectorOperator::kTopk || op == VectorOperator::kBottomk;
}

std::string_view to_string(Comparison comparison) {
  return kComparisons.at(static_cast<std::size_t>(comparison));
}

std::string_view to_string(LineTest test) { return kLineTests.at(static_cast<std::size_t>(test)); }

}  // namespace vigia::logql
