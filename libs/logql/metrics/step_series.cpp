#include "libs/logql/metrics/step_series.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/logql/limits.hpp"

namespace vigia::logql::metrics {
namespace {

using Grouping = promql::Aggregation::Grouping;

Labels chosen(const Labels& labels, const std::vector<std::string>& names, bool is_kept) {
  std::vector<Label> left;
  for (const Label& label : labels) {
    const bool is_named = std::find(names.begin(), names.end(), label.name) != names.end();
    if (is_named == is_kept) left.push_back(label);
  }
  return Labels::from(std::move(left));
}

}  // namespace

Result<void> PartsMemory::take(std::size_t bytes) {
  if (bytes > kMetricHeldBytesMax - held_) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("the parts of the query hold more than {} bytes together: use a larger "
                            "step, a shorter range of time, fewer operators between vectors, or "
                            "aggregate by fewer labels",
                            kMetricHeldBytesMax));
  }
  held_ += bytes;
  return {};
}

std::size_t bytes_of(const Labels& labels) {
  std::size_t bytes = sizeof(StepSeries);
  for (const Label& label : labels) bytes += sizeof(label) + label.name.size() + label.value.size();
  return bytes;
}

std::size_t bytes_of(const StepSeries& series) {
  return bytes_of(series.labels) + series.values.size() * sizeof(StepValue);
}

std::size_t bytes_of(const StepVector& vector) {
  std::size_t bytes = 0;
  for (const StepSeries& series : vector.series) bytes += bytes_of(series);
  return bytes;
}

Result<void> check_values(std::size_t values) {
  if (values <= kMetricValuesMax) return {};
  return fail(ErrorCode::kTooLarge,
              fmt::format("the query makes more than {} values: use a larger step, a shorter range "
                          "of time, or aggregate by fewer labels",
                          kMetricValuesMax));
}

Result<void> check_series(std::size_t series, std::size_t label_bytes) {
  if (series <= kMetricSeriesMax && label_bytes <= kMetricLabelBytesMax) return {};
  return fail(ErrorCode::kTooLarge,
              fmt::format("the query makes more than {} series, or {} bytes of labels: aggregate "
                          "by fewer labels, as sum by (…), or keep those that matter",
                          kMetricSeriesMax, kMetricLabelBytesMax));
}

Labels grouped(const Labels& labels, const LabelGrouping& grouping) {
  if (grouping.kind == Grouping::kNone) return {};
  return chosen(labels, grouping.labels, grouping.kind == Grouping::kBy);
}

Labels kept(const Labels& labels, const std::vector<std::string>& names) {
  return chosen(labels, names, true);
}

Labels dropped(const Labels& labels, const std::vector<std::string>& names) {
  return chosen(labels, names, false);
}

}  // namespace vigia::logql::metrics
