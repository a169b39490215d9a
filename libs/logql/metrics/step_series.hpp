// Series over the steps of a query, between its parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/metrics/parts_memory.hpp"
#include "libs/model/labels.hpp"

namespace vigia::logql::metrics {

/// The steps of a query. Built by steps_of() alone, so that no sum of them overflows.
struct Steps {
  std::int64_t first_ns = 0;
  std::int64_t step_ns = 1;
  std::size_t count = 1;
  std::int64_t at(std::size_t step) const {
    return first_ns + static_cast<std::int64_t>(step) * step_ns;
  }
};

struct StepValue {
  std::uint32_t step = 0;
  double value = 0;
};

struct StepSeries {
  Labels labels;
  std::vector<StepValue> values;  ///< ascending by step
};

struct StepVector {
  std::vector<StepSeries> series;
  PartMemory held;          ///< of all its series
  bool is_ordered = false;  ///< of one step, and in the order that was asked for
};

/// What they hold of an evaluation's kMetricHeldBytesMax.
std::size_t bytes_of(const Labels& labels);
std::size_t bytes_of(const StepSeries& series);
std::size_t bytes_of(const StepVector& vector);

/// kTooLarge past kMetricValuesMax.
Result<void> check_values(std::size_t values);
/// kTooLarge past kMetricSeriesMax or kMetricLabelBytesMax.
Result<void> check_series(std::size_t series, std::size_t label_bytes);

/// The labels that a grouping leaves: none without one.
Labels grouped(const Labels& labels, const LabelGrouping& grouping);
/// With, or without, these.
Labels kept(const Labels& labels, const std::vector<std::string>& names);
Labels dropped(const Labels& labels, const std::vector<std::string>& names);

}  // namespace vigia::logql::metrics
