#include "libs/wire/otlp/json_schema.hpp"

namespace vigia::wire::otlp {
namespace {

using Kind = JsonKind;

JsonField one(std::string_view key, std::uint32_t number, Kind kind) {
  return {key, number, kind, false, nullptr};
}
JsonField many(std::string_view key, std::uint32_t number, Kind kind) {
  return {key, number, kind, true, nullptr};
}
JsonField part(std::string_view key, std::uint32_t number, const JsonMessage& message) {
  return {key, number, Kind::kMessage, false, &message};
}
JsonField parts(std::string_view key, std::uint32_t number, const JsonMessage& message) {
  return {key, number, Kind::kMessage, true, &message};
}

/// common.proto and resource.proto.
struct CommonSchema {
  // Members, since the messages point at each other in a circle: the addresses must stand before
  // the fields are filled in.
  JsonMessage any_value, array_value, key_value_list, key_value, scope, entity, resource;

  CommonSchema() {
    array_value.fields = {parts("values", 1, any_value)};
    key_value_list.fields = {parts("values", 1, key_value)};
    any_value.fields = {one("stringValue", 1, Kind::kText), one("boolValue", 2, Kind::kBool),
                        one("intValue", 3, Kind::kInt64),   one("doubleValue", 4, Kind::kDouble),
                        part("arrayValue", 5, array_value), part("kvlistValue", 6, key_value_list),
                        one("bytesValue", 7, Kind::kBase64)};
    key_value.fields = {one("key", 1, Kind::kText), part("value", 2, any_value)};
    scope.fields = {one("name", 1, Kind::kText), one("version", 2, Kind::kText),
                    parts("attributes", 3, key_value),
                    one("droppedAttributesCount", 4, Kind::kUint32)};
    entity.fields = {one("schemaUrl", 1, Kind::kText), one("type", 2, Kind::kText),
                     many("idKeys", 3, Kind::kText), many("descriptionKeys", 4, Kind::kText)};
    resource.fields = {parts("attributes", 1, key_value),
                       one("droppedAttributesCount", 2, Kind::kUint32),
                       parts("entityRefs", 3, entity)};
  }
};

/// Export…ServiceRequest, Resource… and Scope… have one shape in all three signals.
struct Envelope {
  JsonMessage request, resource_group, scope_group;

  Envelope(const CommonSchema& common, const JsonMessage& item, std::string_view resources,
           std::string_view scopes, std::string_view items) {
    scope_group.fields = {part("scope", 1, common.scope), parts(items, 2, item),
                          one("schemaUrl", 3, Kind::kText)};
    resource_group.fields = {part("resource", 1, common.resource), parts(scopes, 2, scope_group),
                             one("schemaUrl", 3, Kind::kText)};
    request.fields = {parts(resources, 1, resource_group)};
  }
};

/// metrics.proto.
struct MetricsSchema {
  JsonMessage exemplar, number, histogram_point, buckets, exponential_point, quantile,
      summary_point, gauge, sum, histogram, exponential, summary, metric;
  Envelope envelope;

  explicit MetricsSchema(const CommonSchema& common)
      : envelope(common, metric, "resourceMetrics", "scopeMetrics", "metrics") {
    fill_points(common);
    gauge.fields = {parts("dataPoints", 1, number)};
    sum.fields = {parts("dataPoints", 1, number), one("aggregationTemporality", 2, Kind::kEnum),
                  one("isMonotonic", 3, Kind::kBool)};
    histogram.fields = {parts("dataPoints", 1, histogram_point),
                        one("aggregationTemporality", 2, Kind::kEnum)};
    exponential.fields = {parts("dataPoints", 1, exponential_point),
                          one("aggregationTemporality", 2, Kind::kEnum)};
    summary.fields = {parts("dataPoints", 1, summary_point)};
    metric.fields = {one("name", 1, Kind::kText),
                     one("description", 2, Kind::kText),
                     one("unit", 3, Kind::kText),
                     part("gauge", 5, gauge),
                     part("sum", 7, sum),
                     part("histogram", 9, histogram),
                     part("exponentialHistogram", 10, exponential),
                     part("summary", 11, summary),
                     parts("metadata", 12, common.key_value)};
  }

  void fill_points(const CommonSchema& common) {
    exemplar.fields = {parts("filteredAttributes", 7, common.key_value),
                       one("timeUnixNano", 2, Kind::kFixed64),
                       one("asDouble", 3, Kind::kDouble),
                       one("asInt", 6, Kind::kSfixed64),
                       one("spanId", 4, Kind::kHexId),
                       one("traceId", 5, Kind::kHexId)};
    number.fields = {parts("attributes", 7, common.key_value),
                     one("startTimeUnixNano", 2, Kind::kFixed64),
                     one("timeUnixNano", 3, Kind::kFixed64),
                     one("asDouble", 4, Kind::kDouble),
                     one("asInt", 6, Kind::kSfixed64),
                     parts("exemplars", 5, exemplar),
                     one("flags", 8, Kind::kUint32)};
    histogram_point.fields = {parts("attributes", 9, common.key_value),
                              one("startTimeUnixNano", 2, Kind::kFixed64),
                              one("timeUnixNano", 3, Kind::kFixed64),
                              one("count", 4, Kind::kFixed64),
                              one("sum", 5, Kind::kDouble),
                              many("bucketCounts", 6, Kind::kFixed64),
                              many("explicitBounds", 7, Kind::kDouble),
                              parts("exemplars", 8, exemplar),
                              one("flags", 10, Kind::kUint32),
                              one("min", 11, Kind::kDouble),
                              one("max", 12, Kind::kDouble)};
    buckets.fields = {one("offset", 1, Kind::kSint32), many("bucketCounts", 2, Kind::kUint64)};
    exponential_point.fields = {parts("attributes", 1, common.key_value),
                                one("startTimeUnixNano", 2, Kind::kFixed64),
                                one("timeUnixNano", 3, Kind::kFixed64),
                                one("count", 4, Kind::kFixed64),
                                one("sum", 5, Kind::kDouble),
                                one("scale", 6, Kind::kSint32),
                                one("zeroCount", 7, Kind::kFixed64),
                                part("positive", 8, buckets),
                                part("negative", 9, buckets),
                                one("flags", 10, Kind::kUint32),
                                parts("exemplars", 11, exemplar),
                                one("min", 12, Kind::kDouble),
                                one("max", 13, Kind::kDouble),
                                one("zeroThreshold", 14, Kind::kDouble)};
    quantile.fields = {one("quantile", 1, Kind::kDouble), one("value", 2, Kind::kDouble)};
    summary_point.fields = {parts("attributes", 7, common.key_value),
                            one("startTimeUnixNano", 2, Kind::kFixed64),
                            one("timeUnixNano", 3, Kind::kFixed64),
                            one("count", 4, Kind::kFixed64),
                            one("sum", 5, Kind::kDouble),
                            parts("quantileValues", 6, quantile),
                            one("flags", 8, Kind::kUint32)};
  }
};

/// trace.proto.
struct TracesSchema {
  JsonMessage event, link, status, span;
  Envelope envelope;

  explicit TracesSchema(const CommonSchema& common)
      : envelope(common, span, "resourceSpans", "scopeSpans", "spans") {
    event.fields = {one("timeUnixNano", 1, Kind::kFixed64), one("name", 2, Kind::kText),
                    parts("attributes", 3, common.key_value),
                    one("droppedAttributesCount", 4, Kind::kUint32)};
    link.fields = {one("traceId", 1, Kind::kHexId),
                   one("spanId", 2, Kind::kHexId),
                   one("traceState", 3, Kind::kText),
                   parts("attributes", 4, common.key_value),
                   one("droppedAttributesCount", 5, Kind::kUint32),
                   one("flags", 6, Kind::kFixed32)};
    status.fields = {one("message", 2, Kind::kText), one("code", 3, Kind::kEnum)};
    span.fields = {one("traceId", 1, Kind::kHexId),
                   one("spanId", 2, Kind::kHexId),
                   one("traceState", 3, Kind::kText),
                   one("parentSpanId", 4, Kind::kHexId),
                   one("name", 5, Kind::kText),
                   one("kind", 6, Kind::kEnum),
                   one("startTimeUnixNano", 7, Kind::kFixed64),
                   one("endTimeUnixNano", 8, Kind::kFixed64),
                   parts("attributes", 9, common.key_value),
                   one("droppedAttributesCount", 10, Kind::kUint32),
                   parts("events", 11, event),
                   one("droppedEventsCount", 12, Kind::kUint32),
                   parts("links", 13, link),
                   one("droppedLinksCount", 14, Kind::kUint32),
                   part("status", 15, status),
                   one("flags", 16, Kind::kFixed32)};
  }
};

/// logs.proto.
struct LogsSchema {
  JsonMessage record;
  Envelope envelope;

  explicit LogsSchema(const CommonSchema& common)
      : envelope(common, record, "resourceLogs", "scopeLogs", "logRecords") {
    record.fields = {one("timeUnixNano", 1, Kind::kFixed64),
                     one("observedTimeUnixNano", 11, Kind::kFixed64),
                     one("severityNumber", 2, Kind::kEnum),
                     one("severityText", 3, Kind::kText),
                     part("body", 5, common.any_value),
                     parts("attributes", 6, common.key_value),
                     one("droppedAttributesCount", 7, Kind::kUint32),
                     one("flags", 8, Kind::kFixed32),
                     one("traceId", 9, Kind::kHexId),
                     one("spanId", 10, Kind::kHexId),
                     one("eventName", 12, Kind::kText)};
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
