#include "libs/ottl/internal/field.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::internal {
namespace {

using namespace std::string_view_literals;
using wire::otlp::LogRecordField;
using wire::otlp::MetricField;
using wire::otlp::NumberPointField;
using wire::otlp::ResourceField;
using wire::otlp::ScopeField;
using wire::otlp::SpanEventField;
using wire::otlp::SpanField;

constexpr ValueKind kInt = ValueKind::kInt;
constexpr ValueKind kString = ValueKind::kString;
constexpr ValueKind kMap = ValueKind::kMap;
constexpr ValueKind kTime = ValueKind::kTime;
constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;

constexpr Field text(Level level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kText, number, kString};
}
constexpr Field integer(Level level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kUnsigned, number, kInt};
}
constexpr Field flags(Level level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kFixed32, number, kInt};
}
constexpr Field nanoseconds(Level level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kFixed64, number, kInt};
}
constexpr Field time(Level level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kTime, number, kTime};
}
constexpr Field attributes(Level level) {
  return {level, "attributes", FieldForm::kAttributes, 0, kMap};
}
constexpr Field id(Level level, std::string_view name, std::uint32_t number, std::size_t bytes) {
  return {level, name, FieldForm::kId, number, ValueKind::kBytes, bytes};
}
constexpr Field hex_id(Level level, std::string_view name, std::uint32_t number,
                       std::size_t bytes) {
  return {level, name, FieldForm::kHexId, number, kString, bytes};
}
constexpr Field special(Level level, std::string_view name, FieldForm form, ValueKind kind) {
  return {level, name, form, 0, kind};
}

constexpr std::array kFields{
    attributes(Level::kResource),
    integer(Level::kResource, "dropped_attributes_count",
            ResourceField::kDroppedAttributesCount.number),
    text(Level::kScope, "name", ScopeField::kName.number),
    text(Level::kScope, "version", ScopeField::kVersion.number),
    attributes(Level::kScope),
    integer(Level::kScope, "dropped_attributes_count", ScopeField::kDroppedAttributesCount.number),
    id(Level::kSpan, "trace_id", SpanField::kTraceId.number, kTraceIdBytes),
    hex_id(Level::kSpan, "trace_id.string", SpanField::kTraceId.number, kTraceIdBytes),
    id(Level::kSpan, "span_id", SpanField::kSpanId.number, kSpanIdBytes),
    hex_id(Level::kSpan, "span_id.string", SpanField::kSpanId.number, kSpanIdBytes),
    id(Level::kSpan, "parent_span_id", SpanField::kParentSpanId.number, kSpanIdBytes),
    hex_id(Level::kSpan, "parent_span_id.string", SpanField::kParentSpanId.number, kSpanIdBytes),
    text(Level::kSpan, "trace_state", SpanField::kTraceState.number),
    text(Level::kSpan, "name", SpanField::kName.number),
    integer(Level::kSpan, "kind", SpanField::kKind.number),
    special(Level::kSpan, "kind.string", FieldForm::kKindName, kString),
    special(Level::kSpan, "kind.deprecated_string", FieldForm::kKindLongName, kString),
    nanoseconds(Level::kSpan, "start_time_unix_nano", SpanField::kStartTime.number),
    nanoseconds(Level::kSpan, "end_time_unix_nano", SpanField::kEndTime.number),
    time(Level::kSpan, "start_time", SpanField::kStartTime.number),
    time(Level::kSpan, "end_time", SpanField::kEndTime.number),
    attributes(Level::kSpan),
    integer(Level::kSpan, "dropped_attributes_count", SpanField::kDroppedAttributesCount.number),
    integer(Level::kSpan, "dropped_events_count", SpanField::kDroppedEventsCount.number),
    integer(Level::kSpan, "dropped_links_count", SpanField::kDroppedLinksCount.number),
    special(Level::kSpan, "status.code", FieldForm::kStatusCode, kInt),
    special(Level::kSpan, "status.message", FieldForm::kStatusMessage, kString),
    flags(Level::kSpan, "flags", SpanField::kFlags.number),
    nanoseconds(Level::kSpanEvent, "time_unix_nano", SpanEventField::kTime.number),
    time(Level::kSpanEvent, "time", SpanEventField::kTime.number),
    text(Level::kSpanEvent, "name", SpanEventField::kName.number),
    attributes(Level::kSpanEvent),
    integer(Level::kSpanEvent, "dropped_attributes_count",
            SpanEventField::kDroppedAttributesCount.number),
    text(Level::kMetric, "name", MetricField::kName.number),
    text(Level::kMetric, "description", MetricField::kDescription.number),
    text(Level::kMetric, "unit", MetricField::kUnit.number),
    Field{Level::kMetric, "type", FieldForm::kMetricType, 0, kInt, 0, true},
    Field{Level::kMetric, "aggregation_temporality", FieldForm::kTemporality, 0, kInt, 0, true},
    Field{Level::kMetric, "is_monotonic", FieldForm::kMonotonic, 0, ValueKind::kBool, 0, true},
    Field{Level::kMetric, "metadata", FieldForm::kAttributes, 0, kMap},
    attributes(Level::kPoint),
    nanoseconds(Level::kPoint, "start_time_unix_nano", NumberPointField::kStartTime.number),
    nanoseconds(Level::kPoint, "time_unix_nano", NumberPointField::kTime.number),
    time(Level::kPoint, "start_time", NumberPointField::kStartTime.number),
    time(Level::kPoint, "time", NumberPointField::kTime.number),
    special(Level::kPoint, "value_double", FieldForm::kPointDouble, ValueKind::kDouble),
    special(Level::kPoint, "value_int", FieldForm::kPointInt, kInt),
    special(Level::kPoint, "count", FieldForm::kPointCount, kInt),
    special(Level::kPoint, "sum", FieldForm::kPointSum, ValueKind::kDouble),
    special(Level::kPoint, "flags", FieldForm::kPointFlags, kInt),
    nanoseconds(Level::kLog, "time_unix_nano", LogRecordField::kTime.number),
    nanoseconds(Level::kLog, "observed_time_unix_nano", LogRecordField::kObservedTime.number),
    time(Level::kLog, "time", LogRecordField::kTime.number),
    time(Level::kLog, "observed_time", LogRecordField::kObservedTime.number),
    integer(Level::kLog, "severity_number", LogRecordField::kSeverityNumber.number),
    text(Level::kLog, "severity_text", LogRecordField::kSeverityText.number),
    special(Level::kLog, "body", FieldForm::kBody, ValueKind::kNil),
    special(Level::kLog, "body.string", FieldForm::kBodyText, kString),
    attributes(Level::kLog),
    integer(Level::kLog, "dropped_attributes_count",
            LogRecordField::kDroppedAttributesCount.number),
    flags(Level::kLog, "flags", LogRecordField::kFlags.number),
    id(Level::kLog, "trace_id", LogRecordField::kTraceId.number, kTraceIdBytes),
    hex_id(Level::kLog, "trace_id.string", LogRecordField::kTraceId.number, kTraceIdBytes),
    id(Level::kLog, "span_id", LogRecordField::kSpanId.number, kSpanIdBytes),
    hex_id(Level::kLog, "span_id.string", LogRecordField::kSpanId.number, kSpanIdBytes),
    text(Level::kLog, "event_name", LogRecordField::kEventName.number),
    Field{Level::kCache, "cache", FieldForm::kAttributes, 0, kMap},
};

constexpr std::array kEnums{
    std::pair{"SPAN_KIND_UNSPECIFIED"sv, 0},
    std::pair{"SPAN_KIND_INTERNAL"sv, 1},
    std::pair{"SPAN_KIND_SERVER"sv, 2},
    std::pair{"SPAN_KIND_CLIENT"sv, 3},
    std::pair{"SPAN_KIND_PRODUCER"sv, 4},
    std::pair{"SPAN_KIND_CONSUMER"sv, 5},
    std::pair{"STATUS_CODE_UNSET"sv, 0},
    std::pair{"STATUS_CODE_OK"sv, 1},
    std::pair{"STATUS_CODE_ERROR"sv, 2},
    std::pair{"FLAG_NONE"sv, 0},
    std::pair{"FLAG_NO_RECORDED_VALUE"sv, 1},
    std::pair{"AGGREGATION_TEMPORALITY_UNSPECIFIED"sv, 0},
    std::pair{"AGGREGATION_TEMPORALITY_DELTA"sv, 1},
    std::pair{"AGGREGATION_TEMPORALITY_CUMULATIVE"sv, 2},
    std::pair{"METRIC_DATA_TYPE_NONE"sv, 0},
    std::pair{"METRIC_DATA_TYPE_GAUGE"sv, 1},
    std::pair{"METRIC_DATA_TYPE_SUM"sv, 2},
    std::pair{"METRIC_DATA_TYPE_HISTOGRAM"sv, 3},
    std::pair{"METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM"sv, 4},
    std::pair{"METRIC_DATA_TYPE_SUMMARY"sv, 5},
};

constexpr std::array kSeverities{"TRACE"sv, "DEBUG"sv, "INFO"sv, "WARN"sv, "ERROR"sv, "FATAL"sv};

/// SEVERITY_NUMBER_WARN is the first of four, SEVERITY_NUMBER_WARN2 the second.
std::optional<std::int64_t> severity_of(std::string_view name) {
  if (name == "UNSPECIFIED") return 0;
  std::int64_t first = 1;
  for (const std::string_view severity : kSeverities) {
    if (name.starts_with(severity)) {
      const std::string_view rest = name.substr(severity.size());
      if (rest.empty()) return first;
      if (rest.size() == 1 && rest[0] >= '2' && rest[0] <= '4') return first + rest[0] - '1';
      return std::nullopt;
    }
    first += 4;
  }
  return std::nullopt;
}

}  // namespace

const Field* find_field(Level level, std::string_view name) {
  for (const Field& field : kFields) {
    if (field.level == level && field.name == name) return &field;
  }
  return nullptr;
}

std::optional<std::int64_t> enum_value(std::string_view name) {
  constexpr std::string_view kSeverity = "SEVERITY_NUMBER_";
  if (name.starts_with(kSeverity)) return severity_of(name.substr(kSeverity.size()));
  for (const auto& [symbol, value] : kEnums) {
    if (symbol == name) return value;
  }
  return std::nullopt;
}

}  // namespace vigia::ottl::internal
