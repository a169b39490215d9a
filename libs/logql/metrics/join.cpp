#include "libs/logql/metrics/join.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "libs/logql/metrics/presence.hpp"

namespace vigia::logql::metrics {
namespace {

using promql::BinaryOperator;
using promql::VectorMatching;
using Group = VectorMatching::Group;
using MatchedLabels = VectorMatching::WhichLabels;

bool is_comparison(BinaryOperator op) {
  return op >= BinaryOperator::kEqual && op <= BinaryOperator::kLessOrEqual;
}

/// The value that two make, or nothing where a comparison leaves `kept` out.
std::optional<double> joined(const MetricPair& pair, double left, double right, double kept) {
  const double value = calculate(pair.op, left, right);
  if (!is_comparison(pair.op) || pair.returns_bool) return value;
  if (value == 0) return std::nullopt;
  return kept;
}

/// The labels of what a series of the many, or of the only one, and its partner make.
Labels result_labels(const MetricPair& pair, const Labels& many, const Labels& one) {
  const VectorMatching& matching = pair.matching;
  if (matching.group != Group::kNone) {
    Labels labels = many;
    for (const std::string& name : matching.include) labels.set(name, one.get(name));
    return labels;
  }
  // A comparison that filters keeps its left side as it is, as Loki has it.
  if (is_comparison(pair.op) && !pair.returns_bool && matching.scope == MatchedLabels::kAll)
    return many;
  return signature_of(many, matching);
}

/// The steps of one signature: which value each has on the side of the one.
class OneSide {
 public:
  explicit OneSide(std::size_t steps) : by_step_(steps, nullptr), values_(steps) {}
  static constexpr std::size_t kBytesOfAStep = sizeof(void*) + sizeof(double);
  struct Held {
    const StepSeries* series = nullptr;
    double value = 0;
  };
  /// False where another series is there at one of the steps.
  bool add(const StepSeries& series) {
    for (const StepValue& value : series.values) {
      if (by_step_[value.step] != nullptr) return false;
      by_step_[value.step] = &series;
      values_[value.step] = value.value;
    }
    return true;
  }
  Held at(std::size_t step) const {
    const StepSeries* series = by_step_[step];
    return series == nullptr ? Held{} : Held{series, values_[step]};
  }

 private:
  std::vector<const StepSeries*> by_step_;
  std::vector<double> values_;
};

tl::unexpected<Error> many_matches(const Labels& labels, bool is_grouped) {
  return fail(ErrorCode::kInvalid,
              fmt::format("multiple matches for labels {:.512}: {}", to_string(labels),
                          is_grouped ? "the side of the one has several series"
                                     : "many-to-one matching must be explicit "
                                       "(group_left/group_right)"));
}

/// Two vectors by arithmetic or comparison. `many_` is the left side unless group_right says
/// otherwise.
class Matching {
 public:
  Matching(const MetricPair& pair, EvaluationRun& run)
      : pair_(pair),
        run_(run),
        is_swapped_(pair.matching.group == Group::kRight),
        sides_(run.holding()),
        made_(run.holding()) {}

  Result<StepVector> run(const StepVector& left, const StepVector& right) {
    const StepVector& many = is_swapped_ ? right : left;
    const StepVector& one = is_swapped_ ? left : right;
    for (const StepSeries& series : one.series) {
      const Labels signature = signature_of(series.labels, pair_.matching);
      if (const auto done = make_side(signature, series.values.size()); !done) return forward(done);
      if (!ones_.at(signature).add(series)) return many_matches(signature, is_grouped());
    }
    for (const StepSeries& series : many.series) {
      const auto done = match(series);
      if (!done) return forward(done);
    }
    return collected();
  }

 private:
  bool is_grouped() const { return pair_.matching.group != Group::kNone; }

  Result<void> make_side(const Labels& signature, std::size_t values) {
    if (const auto done = run_.look_at(values + 1); !done) return done;
    if (ones_.contains(signature)) return {};
    const std::size_t steps = run_.steps.count;
    if (const auto done = check_values((ones_.size() + 1) * steps); !done) return done;
    const auto done = sides_.take(steps * OneSide::kBytesOfAStep + bytes_of(signature));
    if (done) ones_.try_emplace(signature, steps);
    return done;
  }

  Result<void> match(const StepSeries& series) {
    if (const auto done = run_.look_at(series.values.size() + 1); !done) return done;
    const Labels signature = signature_of(series.labels, pair_.matching);
    const auto found = ones_.find(signature);
    if (found == ones_.end()) return {};
    if (!is_grouped()) {
      auto& taken = taken_[signature];
      taken.resize(run_.steps.count);
      for (const StepValue& value : series.values) {
        if (found->second.at(value.step).series == nullptr) continue;
        if (taken[value.step]) return many_matches(signature, false);
        taken[value.step] = true;
      }
    }
    for (const StepValue& value : series.values) {
      const OneSide::Held held = found->second.at(value.step);
      if (held.series == nullptr) continue;
      const double left = is_swapped_ ? held.value : value.value;
      const double right = is_swapped_ ? value.value : held.value;
      const auto made = joined(pair_, left, right, left);
      if (!made) continue;
      const auto [found_result, is_new] =
          results_.try_emplace(result_labels(pair_, series.labels, held.series->labels));
      auto& values = found_result->second;
      if (!values.empty() && values.back().step >= value.step) has_unsorted_ = true;
      values.push_back({value.step, *made});
      if (const auto done = count_result(found_result->first, is_new); !done) return done;
    }
    return {};
  }

  Result<void> count_result(const Labels& labels, bool is_new) {
    if (const auto done = check_values(++values_); !done) return done;
    if (const auto done = check_series(results_.size(), 0); !done) return done;
    return made_.take(sizeof(StepValue) + (is_new ? bytes_of(labels) : 0));
  }

  Result<StepVector> collected() {
    StepVector output;
    for (auto& [labels, values] : results_) {
      const auto is_before = [](const StepValue& a, const StepValue& b) { return a.step < b.step; };
      const auto is_same = [](const StepValue& a, const StepValue& b) { return a.step == b.step; };
      if (has_unsorted_) std::sort(values.begin(), values.end(), is_before);
      if (std::adjacent_find(values.begin(), values.end(), is_same) != values.end()) {
        return fail(ErrorCode::kInvalid,
                    fmt::format("multiple matches for labels: two results would be {:.512}",
                                to_string(labels)));
      }
      output.series.push_back({labels, std::move(values)});
    }
    output.held = std::move(made_);
    return output;
  }

  const MetricPair& pair_;
  EvaluationRun& run_;
  bool is_swapped_;
  PartMemory sides_;  // of ones_
  PartMemory made_;   // of results_
  bool has_unsorted_ = false;
  std::size_t values_ = 0;  // of results_
  std::map<Labels, OneSide> ones_;
  std::map<Labels, std::vector<bool>> taken_;
  std::map<Labels, std::vector<StepValue>> results_;
};

}  // namespace

double calculate(BinaryOperator op, double left, double right) {
  constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
  switch (op) {
    case BinaryOperator::kAdd:
      return left + right;
    case BinaryOperator::kSubtract:
      return left - right;
    case BinaryOperator::kMultiply:
      return left * right;
    case BinaryOperator::kDivide:
      return right == 0 ? kNoNumber : left / right;
    case BinaryOperator::kModulo:
      return right == 0 ? kNoNumber : std::fmod(left, right);
    case BinaryOperator::kPower:
      return std::pow(left, right);
    case BinaryOperator::kEqual:
      return left == right ? 1 : 0;
    case BinaryOperator::kNotEqual:
      return left != right ? 1 : 0;
    case BinaryOperator::kGreater:
      return left > right ? 1 : 0;
    case BinaryOperator::kGreaterOrEqual:
      return left >= right ? 1 : 0;
    case BinaryOperator::kLess:
      return left < right ? 1 : 0;
    case BinaryOperator::kLessOrEqual:
      return left <= right ? 1 : 0;
    case BinaryOperator::kOr:
    case BinaryOperator::kAnd:
    case BinaryOperator::kUnless:
    case BinaryOperator::kAtan2:
    case BinaryOperator::kTrimUpper:
    case BinaryOperator::kTrimLower:
      break;
  }
  return kNoNumber;  // the parser lets none of these stand between numbers
}

StepVector join_number(const MetricPair& pair, StepVector vector, double number, bool is_left) {
  for (StepSeries& series : vector.series) {
    std::size_t left = 0;
    for (const StepValue& value : series.values) {
      const auto made = is_left ? joined(pair, number, value.value, value.value)
                                : joined(pair, value.value, number, value.value);
      if (made) series.values[left++] = {value.step, *made};
    }
    series.values.resize(left);
  }
  return vector;
}

Result<StepVector> join_vectors(const MetricPair& pair, StepVector left, StepVector right,
                                EvaluationRun& run) {
  const bool is_and = pair.op == BinaryOperator::kAnd;
  if (!is_and && pair.op != BinaryOperator::kUnless) return Matching(pair, run).run(left, right);
  Presence partners(pair.matching, run);
  if (const auto done = partners.add(right); !done) return forward(done);
  if (const auto done = partners.keep(left, is_and); !done) return forward(done);
  return left;
}

}  // namespace vigia::logql::metrics
