#include "libs/wire/otlp/damage_place.hpp"

#include <string_view>

#include <fmt/format.h>

namespace vigia::wire::otlp {
namespace {

using Names = std::array<std::string_view, 3>;

const Names& names_of(Signal signal) {
  static constexpr Names kMetrics{"resourceMetrics", "scopeMetrics", "metrics"};
  static constexpr Names kTraces{"resourceSpans", "scopeSpans", "spans"};
  static constexpr Names kLogs{"resourceLogs", "scopeLogs", "logRecords"};
  switch (signal) {
    case Signal::kTraces:
      return kTraces;
    case Signal::kLogs:
      return kLogs;
    default:
      return kMetrics;
  }
}

std::string_view name_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::kGauge:
      return "gauge.dataPoints";
    case MetricKind::kSum:
      return "sum.dataPoints";
    case MetricKind::kHistogram:
      return "histogram.dataPoints";
    case MetricKind::kExponentialHistogram:
      return "exponentialHistogram.dataPoints";
    case MetricKind::kSummary:
      return "summary.dataPoints";
    case MetricKind::kNone:
      break;
  }
  return "dataPoints";
}

}  // namespace

std::string DamagePlace::text(Signal signal) const {
  std::string text;
  for (std::size_t level = 0; level < depth_; ++level) {
    const std::string_view name = level == kPoint ? name_of(kind_) : names_of(signal)[level];
    fmt::format_to(std::back_inserter(text), "{}{}[{}]", level == 0 ? "" : ".", name,
                   counts_[level] - 1);
  }
  return text;
}

}  // namespace vigia::wire::otlp
