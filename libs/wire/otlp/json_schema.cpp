#include "libs/wire/otlp/json_schema.hpp"

#include "libs/wire/otlp/fields.hpp"

namespace vigia::wire::otlp {
namespace {

using Kind = JsonKind;

JsonField one(std::string_view key, ProtoField field, Kind kind) {
  return {key, field.number, kind, false, nullptr};
}
JsonField many(std::string_view key, ProtoField field, Kind kind) {
  return {key, field.number, kind, true, nullptr};
}
JsonField part(std::string_view key, ProtoField field, const JsonMessage& message) {
  return {key, field.number, Kind::kMessage, false, &message};
}
JsonField parts(std::string_view key, ProtoField field, const JsonMessage& message) {
  return {key, field.number, Kind::kMessage, true, &message};
}

/// common.proto and resource.proto.
struct CommonSchema {
  // Members, since the messages point at each other in a circle: the addresses must stand before
  // the fields are filled in.
  JsonMessage any_value, array_value, key_value_list, key_value, scope, entity, resource;

  CommonSchema() {
    array_value.fields = {parts("values", ValuesField::kValues, any_value)};
    key_value_list.fields = {parts("values", ValuesField::kValues, key_value)};
    any_value.fields = {one("stringValue", AnyValueField::kString, Kind::kText),
                        one("boolValue", AnyValueField::kBool, Kind::kBool),
                        one("intValue", AnyValueField::kInt, Kind::kInt64),
                        one("doubleValue", AnyValueField::kDouble, Kind::kDouble),
                        part("arrayValue", AnyValueField::kArray, array_value),
                        part("kvlistValue", AnyValueField::kList, key_value_list),
                        one("bytesValue", AnyValueField::kBytes, Kind::kBase64)};
    key_value.fields = {one("key", KeyValueField::kKey, Kind::kText),
                        part("value", KeyValueField::kValue, any_value)};
    scope.fields = {
        one("name", ScopeField::kName, Kind::kText),
        one("version", ScopeField::kVersion, Kind::kText),
        parts("attributes", ScopeField::kAttributes, key_value),
        one("droppedAttributesCount", ScopeField::kDroppedAttributesCount, Kind::kUint32)};
    entity.fields = {one("schemaUrl", EntityRefField::kSchemaUrl, Kind::kText),
                     one("type", EntityRefField::kType, Kind::kText),
                     many("idKeys", EntityRefField::kIdKeys, Kind::kText),
                     many("descriptionKeys", EntityRefField::kDescriptionKeys, Kind::kText)};
    resource.fields = {
        parts("attributes", ResourceField::kAttributes, key_value),
        one("droppedAttributesCount", ResourceField::kDroppedAttributesCount, Kind::kUint32),
        parts("entityRefs", ResourceField::kEntityRefs, entity)};
  }
};

/// Export…ServiceRequest, Resource… and Scope… have one shape in all three signals.
struct SignalShapes {
  JsonMessage request, resource_group, scope_group;

  SignalShapes(const CommonSchema& common, const JsonMessage& item, std::string_view resources,
               std::string_view scopes, std::string_view items) {
    scope_group.fields = {part("scope", GroupField::kHead, common.scope),
                          parts(items, GroupField::kMembers, item),
                          one("schemaUrl", GroupField::kSchemaUrl, Kind::kText)};
    resource_group.fields = {part("resource", GroupField::kHead, common.resource),
                             parts(scopes, GroupField::kMembers, scope_group),
                             one("schemaUrl", GroupField::kSchemaUrl, Kind::kText)};
    request.fields = {parts(resources, ExportRequestField::kGroups, resource_group)};
  }
};

/// metrics.proto.
struct MetricsSchema {
  JsonMessage exemplar, number, histogram_point, buckets, exponential_point, quantile,
      summary_point, gauge, sum, histogram, exponential, summary, metric;
  SignalShapes envelope;

  explicit MetricsSchema(const CommonSchema& common)
      : envelope(common, metric, "resourceMetrics", "scopeMetrics", "metrics") {
    fill_points(common);
    gauge.fields = {parts("dataPoints", MetricDataField::kPoints, number)};
    sum.fields = {parts("dataPoints", MetricDataField::kPoints, number),
                  one("aggregationTemporality", MetricDataField::kTemporality, Kind::kEnum),
                  one("isMonotonic", MetricDataField::kIsMonotonic, Kind::kBool)};
    histogram.fields = {parts("dataPoints", MetricDataField::kPoints, histogram_point),
                        one("aggregationTemporality", MetricDataField::kTemporality, Kind::kEnum)};
    exponential.fields = {
        parts("dataPoints", MetricDataField::kPoints, exponential_point),
        one("aggregationTemporality", MetricDataField::kTemporality, Kind::kEnum)};
    summary.fields = {parts("dataPoints", MetricDataField::kPoints, summary_point)};
    metric.fields = {one("name", MetricField::kName, Kind::kText),
                     one("description", MetricField::kDescription, Kind::kText),
                     one("unit", MetricField::kUnit, Kind::kText),
                     part("gauge", MetricField::kGauge, gauge),
                     part("sum", MetricField::kSum, sum),
                     part("histogram", MetricField::kHistogram, histogram),
                     part("exponentialHistogram", MetricField::kExponentialHistogram, exponential),
                     part("summary", MetricField::kSummary, summary),
                     parts("metadata", MetricField::kMetadata, common.key_value)};
  }

  void fill_points(const CommonSchema& common) {
    exemplar.fields = {parts("filteredAttributes", ExemplarField::kAttributes, common.key_value),
                       one("timeUnixNano", ExemplarField::kTime, Kind::kFixed64),
                       one("asDouble", ExemplarField::kDouble, Kind::kDouble),
                       one("asInt", ExemplarField::kInt, Kind::kSfixed64),
                       one("spanId", ExemplarField::kSpanId, Kind::kHexId),
                       one("traceId", ExemplarField::kTraceId, Kind::kHexId)};
    number.fields = {parts("attributes", NumberPointField::kAttributes, common.key_value),
                     one("startTimeUnixNano", NumberPointField::kStartTime, Kind::kFixed64),
                     one("timeUnixNano", NumberPointField::kTime, Kind::kFixed64),
                     one("asDouble", NumberPointField::kDouble, Kind::kDouble),
                     one("asInt", NumberPointField::kInt, Kind::kSfixed64),
                     parts("exemplars", NumberPointField::kExemplars, exemplar),
                     one("flags", NumberPointField::kFlags, Kind::kUint32)};
    histogram_point.fields = {
        parts("attributes", HistogramPointField::kAttributes, common.key_value),
        one("startTimeUnixNano", HistogramPointField::kStartTime, Kind::kFixed64),
        one("timeUnixNano", HistogramPointField::kTime, Kind::kFixed64),
        one("count", HistogramPointField::kCount, Kind::kFixed64),
        one("sum", HistogramPointField::kSum, Kind::kDouble),
        many("bucketCounts", HistogramPointField::kBucketCounts, Kind::kFixed64),
        many("explicitBounds", HistogramPointField::kBounds, Kind::kDouble),
        parts("exemplars", HistogramPointField::kExemplars, exemplar),
        one("flags", HistogramPointField::kFlags, Kind::kUint32),
        one("min", HistogramPointField::kMin, Kind::kDouble),
        one("max", HistogramPointField::kMax, Kind::kDouble)};
    buckets.fields = {one("offset", BucketsField::kOffset, Kind::kSint32),
                      many("bucketCounts", BucketsField::kCounts, Kind::kUint64)};
    exponential_point.fields = {
        parts("attributes", ExponentialPointField::kAttributes, common.key_value),
        one("startTimeUnixNano", ExponentialPointField::kStartTime, Kind::kFixed64),
        one("timeUnixNano", ExponentialPointField::kTime, Kind::kFixed64),
        one("count", ExponentialPointField::kCount, Kind::kFixed64),
        one("sum", ExponentialPointField::kSum, Kind::kDouble),
        one("scale", ExponentialPointField::kScale, Kind::kSint32),
        one("zeroCount", ExponentialPointField::kZeroCount, Kind::kFixed64),
        part("positive", ExponentialPointField::kPositive, buckets),
        part("negative", ExponentialPointField::kNegative, buckets),
        one("flags", ExponentialPointField::kFlags, Kind::kUint32),
        parts("exemplars", ExponentialPointField::kExemplars, exemplar),
        one("min", ExponentialPointField::kMin, Kind::kDouble),
        one("max", ExponentialPointField::kMax, Kind::kDouble),
        one("zeroThreshold", ExponentialPointField::kZeroThreshold, Kind::kDouble)};
    quantile.fields = {one("quantile", QuantileField::kQuantile, Kind::kDouble),
                       one("value", QuantileField::kValue, Kind::kDouble)};
    summary_point.fields = {parts("attributes", SummaryPointField::kAttributes, common.key_value),
                            one("startTimeUnixNano", SummaryPointField::kStartTime, Kind::kFixed64),
                            one("timeUnixNano", SummaryPointField::kTime, Kind::kFixed64),
                            one("count", SummaryPointField::kCount, Kind::kFixed64),
                            one("sum", SummaryPointField::kSum, Kind::kDouble),
                            parts("quantileValues", SummaryPointField::kQuantiles, quantile),
                            one("flags", SummaryPointField::kFlags, Kind::kUint32)};
  }
};

/// trace.proto.
struct TracesSchema {
  JsonMessage event, link, status, span;
  SignalShapes envelope;

  explicit TracesSchema(const CommonSchema& common)
      : envelope(common, span, "resourceSpans", "scopeSpans", "spans") {
    event.fields = {
        one("timeUnixNano", SpanEventField::kTime, Kind::kFixed64),
        one("name", SpanEventField::kName, Kind::kText),
        parts("attributes", SpanEventField::kAttributes, common.key_value),
        one("droppedAttributesCount", SpanEventField::kDroppedAttributesCount, Kind::kUint32)};
    link.fields = {
        one("traceId", SpanLinkField::kTraceId, Kind::kHexId),
        one("spanId", SpanLinkField::kSpanId, Kind::kHexId),
        one("traceState", SpanLinkField::kTraceState, Kind::kText),
        parts("attributes", SpanLinkField::kAttributes, common.key_value),
        one("droppedAttributesCount", SpanLinkField::kDroppedAttributesCount, Kind::kUint32),
        one("flags", SpanLinkField::kFlags, Kind::kFixed32)};
    status.fields = {one("message", SpanStatusField::kMessage, Kind::kText),
                     one("code", SpanStatusField::kCode, Kind::kEnum)};
    span.fields = {one("traceId", SpanField::kTraceId, Kind::kHexId),
                   one("spanId", SpanField::kSpanId, Kind::kHexId),
                   one("traceState", SpanField::kTraceState, Kind::kText),
                   one("parentSpanId", SpanField::kParentSpanId, Kind::kHexId),
                   one("name", SpanField::kName, Kind::kText),
                   one("kind", SpanField::kKind, Kind::kEnum),
                   one("startTimeUnixNano", SpanField::kStartTime, Kind::kFixed64),
                   one("endTimeUnixNano", SpanField::kEndTime, Kind::kFixed64),
                   parts("attributes", SpanField::kAttributes, common.key_value),
                   one("droppedAttributesCount", SpanField::kDroppedAttributesCount, Kind::kUint32),
                   parts("events", SpanField::kEvents, event),
                   one("droppedEventsCount", SpanField::kDroppedEventsCount, Kind::kUint32),
                   parts("links", SpanField::kLinks, link),
                   one("droppedLinksCount", SpanField::kDroppedLinksCount, Kind::kUint32),
                   part("status", SpanField::kStatus, status),
                   one("flags", SpanField::kFlags, Kind::kFixed32)};
  }
};

/// logs.proto.
struct LogsSchema {
  JsonMessage record;
  SignalShapes envelope;

  explicit LogsSchema(const CommonSchema& common)
      : envelope(common, record, "resourceLogs", "scopeLogs", "logRecords") {
    record.fields = {
        one("timeUnixNano", LogRecordField::kTime, Kind::kFixed64),
        one("observedTimeUnixNano", LogRecordField::kObservedTime, Kind::kFixed64),
        one("severityNumber", LogRecordField::kSeverityNumber, Kind::kEnum),
        one("severityText", LogRecordField::kSeverityText, Kind::kText),
        part("body", LogRecordField::kBody, common.any_value),
        parts("attributes", LogRecordField::kAttributes, common.key_value),
        one("droppedAttributesCount", LogRecordField::kDroppedAttributesCount, Kind::kUint32),
        one("flags", LogRecordField::kFlags, Kind::kFixed32),
        one("traceId", LogRecordField::kTraceId, Kind::kHexId),
        one("spanId", LogRecordField::kSpanId, Kind::kHexId),
        one("eventName", LogRecordField::kEventName, Kind::kText)};
  }
};

}  // namespace

/// Some ten fields: a loop over them is quicker than a map, and the usual ones come first.
const JsonField* JsonMessage::find(std::string_view key) const {
  for (const JsonField& field : fields) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

const JsonMessage& json_request(Signal signal) {
  static const CommonSchema common;
  static const MetricsSchema metrics(common);
  static const TracesSchema traces(common);
  static const LogsSchema logs(common);
  switch (signal) {
    case Signal::kTraces:
      return traces.envelope.request;
    case Signal::kLogs:
      return logs.envelope.request;
    case Signal::kMetrics:
      break;
  }
  return metrics.envelope.request;
}

}  // namespace vigia::wire::otlp
