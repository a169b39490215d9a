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

constexpr ValueForm kInt = ValueForm::kInt;
constexpr ValueForm kString = ValueForm::kString;
constexpr ValueForm kList = ValueForm::kList;
constexpr ValueForm kMap = ValueForm::kMap;
constexpr ValueForm kTime = ValueForm::kTime;
constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;

constexpr PathField text(MessageLevel level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kText, number, kString};
}
constexpr PathField integer(MessageLevel level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kUnsigned, number, kInt};
}
constexpr PathField flags(MessageLevel level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kFixed32, number, kInt};
}
constexpr PathField nanoseconds(MessageLevel level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kFixed64, number, kInt};
}
constexpr PathField time(MessageLevel level, std::string_view name, std::uint32_t number) {
  return {level, name, FieldForm::kTime, number, kTime};
}
constexpr PathField attributes(MessageLevel level) {
  return {level, "attributes", FieldForm::kAttributes, 0, kMap};
}
constexpr PathField id(MessageLevel level, std::string_view name, std::uint32_t number,
                       std::size_t bytes) {
  return {level, name, FieldForm::kId, number, ValueForm::kBytes, bytes};
}
constexpr PathField hex_id(MessageLevel level, std::string_view name, std::uint32_t number,
                           std::size_t bytes) {
  return {level, name, FieldForm::kHexId, number, kString, bytes};
}
constexpr PathField special(MessageLevel level, std::string_view name, FieldForm form,
                            ValueForm kind) {
  return {level, name, form, 0, kind};
}

/// Of histograms; read only.
constexpr PathField of_point(std::string_view name, FieldForm form, ValueForm kind) {
  return {MessageLevel::kPoint, name, form, 0, kind, 0, true};
}

constexpr std::array kFields{
    attributes(MessageLevel::kResource),
    integer(MessageLevel::kResource, "dropped_attributes_count",
            ResourceField::kDroppedAttributesCount.number),
    text(MessageLevel::kScope, "name", ScopeField::kName.number),
    text(MessageLevel::kScope, "version", ScopeField::kVersion.number),
    attributes(MessageLevel::kScope),
    integer(MessageLevel::kScope, "dropped_attributes_count",
            ScopeField::kDroppedAttributesCount.number),
    id(MessageLevel::kSpan, "trace_id", SpanField::kTraceId.number, kTraceIdBytes),
    hex_id(MessageLevel::kSpan, "trace_id.string", SpanField::kTraceId.number, kTraceIdBytes),
    id(MessageLevel::kSpan, "span_id", SpanField::kSpanId.number, kSpanIdBytes),
    hex_id(MessageLevel::kSpan, "span_id.string", SpanField::kSpanId.number, kSpanIdBytes),
    id(MessageLevel::kSpan, "parent_span_id", SpanField::kParentSpanId.number, kSpanIdBytes),
    hex_id(MessageLevel::kSpan, "parent_span_id.string", SpanField::kParentSpanId.number,
           kSpanIdBytes),
    text(MessageLevel::kSpan, "trace_state", SpanField::kTraceState.number),
    text(MessageLevel::kSpan, "name", SpanField::kName.number),
    integer(MessageLevel::kSpan, "kind", SpanField::kKind.number),
    special(MessageLevel::kSpan, "kind.string", FieldForm::kKindName, kString),
    special(MessageLevel::kSpan, "kind.deprecated_string", FieldForm::kKindLongName, kString),
    nanoseconds(MessageLevel::kSpan, "start_time_unix_nano", SpanField::kStartTime.number),
    nanoseconds(MessageLevel::kSpan, "end_time_unix_nano", SpanField::kEndTime.number),
    time(MessageLevel::kSpan, "start_time", SpanField::kStartTime.number),
    time(MessageLevel::kSpan, "end_time", SpanField::kEndTime.number),
    attributes(MessageLevel::kSpan),
    integer(MessageLevel::kSpan, "dropped_attributes_count",
            SpanField::kDroppedAttributesCount.number),
    integer(MessageLevel::kSpan, "dropped_events_count", SpanField::kDroppedEventsCount.number),
    integer(MessageLevel::kSpan, "dropped_links_count", SpanField::kDroppedLinksCount.number),
    special(MessageLevel::kSpan, "status.code", FieldForm::kStatusCode, kInt),
    special(MessageLevel::kSpan, "status.message", FieldForm::kStatusMessage, kString),
    flags(MessageLevel::kSpan, "flags", SpanField::kFlags.number),
    nanoseconds(MessageLevel::kSpanEvent, "time_unix_nano", SpanEventField::kTime.number),
    time(MessageLevel::kSpanEvent, "time", SpanEventField::kTime.number),
    text(MessageLevel::kSpanEvent, "name", SpanEventField::kName.number),
    attributes(MessageLevel::kSpanEvent),
    integer(MessageLevel::kSpanEvent, "dropped_attributes_count",
            SpanEventField::kDroppedAttributesCount.number),
    text(MessageLevel::kMetric, "name", MetricField::kName.number),
    text(MessageLevel::kMetric, "description", MetricField::kDescription.number),
    text(MessageLevel::kMetric, "unit", MetricField::kUnit.number),
    PathField{MessageLevel::kMetric, "type", FieldForm::kMetricType, 0, kInt, 0, true},
    PathField{MessageLevel::kMetric, "aggregation_temporality", FieldForm::kTemporality, 0, kInt, 0,
              true},
    PathField{MessageLevel::kMetric, "is_monotonic", FieldForm::kMonotonic, 0, ValueForm::kBool, 0,
              true},
    PathField{MessageLevel::kMetric, "metadata", FieldForm::kAttributes, 0, kMap},
    attributes(MessageLevel::kPoint),
    nanoseconds(MessageLevel::kPoint, "start_time_unix_nano", NumberPointField::kStartTime.number),
    nanoseconds(MessageLevel::kPoint, "time_unix_nano", NumberPointField::kTime.number),
    time(MessageLevel::kPoint, "start_time", NumberPointField::kStartTime.number),
    time(MessageLevel::kPoint, "time", NumberPointField::kTime.number),
    special(MessageLevel::kPoint, "value_double", FieldForm::kPointDouble, ValueForm::kDouble),
    special(MessageLevel::kPoint, "value_int", FieldForm::kPointInt, kInt),
    special(MessageLevel::kPoint, "count", FieldForm::kPointCount, kInt),
    special(MessageLevel::kPoint, "sum", FieldForm::kPointSum, ValueForm::kDouble),
    special(MessageLevel::kPoint, "flags", FieldForm::kPointFlags, kInt),
    of_point("bucket_counts", FieldForm::kPointBuckets, kList),
    of_point("explicit_bounds", FieldForm::kPointBounds, kList),
    of_point("scale", FieldForm::kPointScale, kInt),
    of_point("zero_count", FieldForm::kPointZeroCount, kInt),
    of_point("positive.offset", FieldForm::kPositiveOffset, kInt),
    of_point("positive.bucket_counts", FieldForm::kPositiveBuckets, kList),
    of_point("negative.offset", FieldForm::kNegativeOffset, kInt),
    of_point("negative.bucket_counts", FieldForm::kNegativeBuckets, kList),
    nanoseconds(MessageLevel::kLog, "time_unix_nano", LogRecordField::kTime.number),
    nanoseconds(MessageLevel::kLog, "observed_time_unix_nano",
                LogRecordField::kObservedTime.number),
    time(MessageLevel::kLog, "time", LogRecordField::kTime.number),
    time(MessageLevel::kLog, "observed_time", LogRecordField::kObservedTime.number),
    integer(MessageLevel::kLog, "severity_number", LogRecordField::kSeverityNumber.number),
    text(MessageLevel::kLog, "severity_text", LogRecordField::kSeverityText.number),
    special(MessageLevel::kLog, "body", FieldForm::kBody, ValueForm::kNil),
    special(MessageLevel::kLog, "body.string", FieldForm::kBodyText, kString),
    attributes(MessageLevel::kLog),
    integer(MessageLevel::kLog, "dropped_attributes_count",
            LogRecordField::kDroppedAttributesCount.number),
    flags(MessageLevel::kLog, "flags", LogRecordField::kFlags.number),
    id(MessageLevel::kLog, "trace_id", LogRecordField::kTraceId.number, kTraceIdBytes),
    hex_id(MessageLevel::kLog, "trace_id.string", LogRecordField::kTraceId.number, kTraceIdBytes),
    id(MessageLevel::kLog, "span_id", LogRecordField::kSpanId.number, kSpanIdBytes),
    hex_id(MessageLevel::kLog, "span_id.string", LogRecordField::kSpanId.number, kSpanIdBytes),
    text(MessageLevel::kLog, "event_name", LogRecordField::kEventName.number),
    PathField{MessageLevel::kCache, "cache", FieldForm::kAttributes, 0, kMap},
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

const PathField* find_field(MessageLevel level, std::string_view name) {
  for (const PathField& field : kFields) {
    if (field.level == level && field.name == name) return &field;
  }
  return nullptr;
}

bool has_enum(Context context, std::string_view name) {
  const auto is_one_of = [name](std::initializer_list<std::string_view> prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [name](std::string_view prefix) { return name.starts_with(prefix); });
  };
  switch (context) {
    case Context::kLog:
      return is_one_of({"SEVERITY_NUMBER_"});
    case Context::kSpan:
    case Context::kSpanEvent:
      return is_one_of({"SPAN_KIND_", "STATUS_CODE_"});
    case Context::kMetric:
      return is_one_of({"METRIC_DATA_TYPE_", "AGGREGATION_TEMPORALITY_"});
    case Context::kPoint:
      return is_one_of({"METRIC_DATA_TYPE_", "AGGREGATION_TEMPORALITY_", "FLAG_"});
    case Context::kResource:
    case Context::kScope:
      return false;
  }
  return false;
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
