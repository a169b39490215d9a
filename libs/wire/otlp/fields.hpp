// The fields of OTLP's messages (opentelemetry-proto 1.x), each with its number and wire type, once
// for all who read or write them.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "libs/wire/otlp/field_reader.hpp"

namespace vigia::wire::otlp {

/// Writers name a field by its number, readers by number and wire type together
/// (FieldReader::tag_and_type): `case SpanField::kName.tag:`.
struct ProtoField {
  std::uint32_t number;
  std::uint32_t tag;

  static constexpr ProtoField sized(std::uint32_t n) { return {n, bytes_field(n)}; }
  static constexpr ProtoField varint(std::uint32_t n) { return {n, varint_field(n)}; }
  static constexpr ProtoField fixed64(std::uint32_t n) { return {n, fixed64_field(n)}; }
  static constexpr ProtoField fixed32(std::uint32_t n) {
    return {n, protozero::tag_and_type(n, pbf_wire_type::fixed32)};
  }
};

/// Of all fields of one message.
constexpr KnownFields known(std::initializer_list<ProtoField> fields) {
  KnownFields all;
  for (const ProtoField& field : fields) all.add(field.tag);
  return all;
}

// common.proto, resource.proto

struct AnyValueField {
  static constexpr ProtoField kString = ProtoField::sized(1);
  static constexpr ProtoField kBool = ProtoField::varint(2);
  static constexpr ProtoField kInt = ProtoField::varint(3);
  static constexpr ProtoField kDouble = ProtoField::fixed64(4);
  static constexpr ProtoField kArray = ProtoField::sized(5);  ///< an ArrayValue
  static constexpr ProtoField kList = ProtoField::sized(6);   ///< a KeyValueList
  static constexpr ProtoField kBytes = ProtoField::sized(7);
  static constexpr KnownFields kKnown =
      known({kString, kBool, kInt, kDouble, kArray, kList, kBytes});
};

/// Of an ArrayValue (AnyValue) and of a KeyValueList (KeyValue) alike.
struct ValuesField {
  static constexpr ProtoField kValues = ProtoField::sized(1);
  static constexpr KnownFields kKnown = known({kValues});
};

struct KeyValueField {
  static constexpr ProtoField kKey = ProtoField::sized(1);
  static constexpr ProtoField kValue = ProtoField::sized(2);
  static constexpr KnownFields kKnown = known({kKey, kValue});
};

struct ScopeField {
  static constexpr ProtoField kName = ProtoField::sized(1);
  static constexpr ProtoField kVersion = ProtoField::sized(2);
  static constexpr ProtoField kAttributes = ProtoField::sized(3);
  static constexpr ProtoField kDroppedAttributesCount = ProtoField::varint(4);
  static constexpr KnownFields kKnown =
      known({kName, kVersion, kAttributes, kDroppedAttributesCount});
};

struct ResourceField {
  static constexpr ProtoField kAttributes = ProtoField::sized(1);
  static constexpr ProtoField kDroppedAttributesCount = ProtoField::varint(2);
  static constexpr ProtoField kEntityRefs = ProtoField::sized(3);
  static constexpr KnownFields kKnown = known({kAttributes, kDroppedAttributesCount, kEntityRefs});
};

struct EntityRefField {
  static constexpr ProtoField kSchemaUrl = ProtoField::sized(1);
  static constexpr ProtoField kType = ProtoField::sized(2);
  static constexpr ProtoField kIdKeys = ProtoField::sized(3);
  static constexpr ProtoField kDescriptionKeys = ProtoField::sized(4);
};

// What the three signals share

/// Export{Metrics,Trace,Logs}ServiceRequest.
struct ExportRequestField {
  static constexpr ProtoField kGroups = ProtoField::sized(1);  ///< Resource{Metrics,Spans,Logs}
  static constexpr KnownFields kKnown = known({kGroups});
};

/// Resource{Metrics,Spans,Logs}, whose head is the Resource and whose members are the scopes; and
/// Scope{Metrics,Spans,Logs}, of the scope and its metrics, spans or log records.
struct GroupField {
  static constexpr ProtoField kHead = ProtoField::sized(1);
  static constexpr ProtoField kMembers = ProtoField::sized(2);
  static constexpr ProtoField kSchemaUrl = ProtoField::sized(3);
  static constexpr KnownFields kKnown = known({kHead, kMembers, kSchemaUrl});
};

/// Export{Metrics,Trace,Logs}ServiceResponse.
struct ExportResponseField {
  static constexpr ProtoField kPartialSuccess = ProtoField::sized(1);
};

/// Export{Metrics,Trace,Logs}PartialSuccess.
struct PartialSuccessField {
  static constexpr ProtoField kRejected = ProtoField::varint(1);
  static constexpr ProtoField kErrorMessage = ProtoField::sized(2);
};

// metrics.proto

struct MetricField {
  static constexpr ProtoField kName = ProtoField::sized(1);
  static constexpr ProtoField kDescription = ProtoField::sized(2);
  static constexpr ProtoField kUnit = ProtoField::sized(3);
  static constexpr ProtoField kGauge = ProtoField::sized(5);
  static constexpr ProtoField kSum = ProtoField::sized(7);
  static constexpr ProtoField kHistogram = ProtoField::sized(9);
  static constexpr ProtoField kExponentialHistogram = ProtoField::sized(10);
  static constexpr ProtoField kSummary = ProtoField::sized(11);
  static constexpr ProtoField kMetadata = ProtoField::sized(12);
  static constexpr KnownFields kKnown = known({kName, kDescription, kUnit, kGauge, kSum, kHistogram,
                                               kExponentialHistogram, kSummary, kMetadata});
};

/// Gauge, Sum, Histogram, ExponentialHistogram, Summary: each has those of these that make sense
/// for it.
struct MetricDataField {
  static constexpr ProtoField kPoints = ProtoField::sized(1);
  static constexpr ProtoField kTemporality = ProtoField::varint(2);
  static constexpr ProtoField kIsMonotonic = ProtoField::varint(3);
  static constexpr KnownFields kKnown = known({kPoints, kTemporality, kIsMonotonic});
  static constexpr KnownFields kOfAll = known({kPoints});
};

struct NumberPointField {
  static constexpr ProtoField kStartTime = ProtoField::fixed64(2);
  static constexpr ProtoField kTime = ProtoField::fixed64(3);
  static constexpr ProtoField kDouble = ProtoField::fixed64(4);
  static constexpr ProtoField kExemplars = ProtoField::sized(5);
  static constexpr ProtoField kInt = ProtoField::fixed64(6);
  static constexpr ProtoField kAttributes = ProtoField::sized(7);
  static constexpr ProtoField kFlags = ProtoField::varint(8);
  static constexpr KnownFields kKnown =
      known({kStartTime, kTime, kDouble, kExemplars, kInt, kAttributes, kFlags});
};

/// Repeated numbers may come packed, or each with a tag of its own (…Alone).
struct HistogramPointField {
  static constexpr ProtoField kStartTime = ProtoField::fixed64(2);
  static constexpr ProtoField kTime = ProtoField::fixed64(3);
  static constexpr ProtoField kCount = ProtoField::fixed64(4);
  static constexpr ProtoField kSum = ProtoField::fixed64(5);
  static constexpr ProtoField kBucketCounts = ProtoField::sized(6);
  static constexpr ProtoField kBucketCountsAlone = ProtoField::fixed64(6);
  static constexpr ProtoField kBounds = ProtoField::sized(7);
  static constexpr ProtoField kBoundsAlone = ProtoField::fixed64(7);
  static constexpr ProtoField kExemplars = ProtoField::sized(8);
  static constexpr ProtoField kAttributes = ProtoField::sized(9);
  static constexpr ProtoField kFlags = ProtoField::varint(10);
  static constexpr ProtoField kMin = ProtoField::fixed64(11);
  static constexpr ProtoField kMax = ProtoField::fixed64(12);
  static constexpr KnownFields kKnown =
      known({kStartTime, kTime, kCount, kSum, kBucketCounts, kBucketCountsAlone, kBounds,
             kBoundsAlone, kExemplars, kAttributes, kFlags, kMin, kMax});
};

struct ExponentialPointField {
  static constexpr ProtoField kAttributes = ProtoField::sized(1);
  static constexpr ProtoField kStartTime = ProtoField::fixed64(2);
  static constexpr ProtoField kTime = ProtoField::fixed64(3);
  static constexpr ProtoField kCount = ProtoField::fixed64(4);
  static constexpr ProtoField kSum = ProtoField::fixed64(5);
  static constexpr ProtoField kScale = ProtoField::varint(6);
  static constexpr ProtoField kZeroCount = ProtoField::fixed64(7);
  static constexpr ProtoField kPositive = ProtoField::sized(8);
  static constexpr ProtoField kNegative = ProtoField::sized(9);
  static constexpr ProtoField kFlags = ProtoField::varint(10);
  static constexpr ProtoField kExemplars = ProtoField::sized(11);
  static constexpr ProtoField kMin = ProtoField::fixed64(12);
  static constexpr ProtoField kMax = ProtoField::fixed64(13);
  static constexpr ProtoField kZeroThreshold = ProtoField::fixed64(14);
  static constexpr KnownFields kKnown =
      known({kAttributes, kStartTime, kTime, kCount, kSum, kScale, kZeroCount, kPositive, kNegative,
             kFlags, kExemplars, kMin, kMax, kZeroThreshold});
};

/// One side of an exponential point.
struct BucketsField {
  static constexpr ProtoField kOffset = ProtoField::varint(1);
  static constexpr ProtoField kCounts = ProtoField::sized(2);
  static constexpr ProtoField kCountsAlone = ProtoField::varint(2);
  static constexpr KnownFields kKnown = known({kOffset, kCounts, kCountsAlone});
};

struct SummaryPointField {
  static constexpr ProtoField kStartTime = ProtoField::fixed64(2);
  static constexpr ProtoField kTime = ProtoField::fixed64(3);
  static constexpr ProtoField kCount = ProtoField::fixed64(4);
  static constexpr ProtoField kSum = ProtoField::fixed64(5);
  static constexpr ProtoField kQuantiles = ProtoField::sized(6);
  static constexpr ProtoField kAttributes = ProtoField::sized(7);
  static constexpr ProtoField kFlags = ProtoField::varint(8);
  static constexpr KnownFields kKnown =
      known({kStartTime, kTime, kCount, kSum, kQuantiles, kAttributes, kFlags});
};

struct QuantileField {
  static constexpr ProtoField kQuantile = ProtoField::fixed64(1);
  static constexpr ProtoField kValue = ProtoField::fixed64(2);
  static constexpr KnownFields kKnown = known({kQuantile, kValue});
};

struct ExemplarField {
  static constexpr ProtoField kTime = ProtoField::fixed64(2);
  static constexpr ProtoField kDouble = ProtoField::fixed64(3);
  static constexpr ProtoField kSpanId = ProtoField::sized(4);
  static constexpr ProtoField kTraceId = ProtoField::sized(5);
  static constexpr ProtoField kInt = ProtoField::fixed64(6);
  static constexpr ProtoField kAttributes = ProtoField::sized(7);
  static constexpr KnownFields kKnown =
      known({kTime, kDouble, kSpanId, kTraceId, kInt, kAttributes});
};

// trace.proto

struct SpanField {
  static constexpr ProtoField kTraceId = ProtoField::sized(1);
  static constexpr ProtoField kSpanId = ProtoField::sized(2);
  static constexpr ProtoField kTraceState = ProtoField::sized(3);
  static constexpr ProtoField kParentSpanId = ProtoField::sized(4);
  static constexpr ProtoField kName = ProtoField::sized(5);
  static constexpr ProtoField kKind = ProtoField::varint(6);
  static constexpr ProtoField kStartTime = ProtoField::fixed64(7);
  static constexpr ProtoField kEndTime = ProtoField::fixed64(8);
  static constexpr ProtoField kAttributes = ProtoField::sized(9);
  static constexpr ProtoField kDroppedAttributesCount = ProtoField::varint(10);
  static constexpr ProtoField kEvents = ProtoField::sized(11);
  static constexpr ProtoField kDroppedEventsCount = ProtoField::varint(12);
  static constexpr ProtoField kLinks = ProtoField::sized(13);
  static constexpr ProtoField kDroppedLinksCount = ProtoField::varint(14);
  static constexpr ProtoField kStatus = ProtoField::sized(15);
  static constexpr ProtoField kFlags = ProtoField::fixed32(16);
  static constexpr KnownFields kKnown =
      known({kTraceId, kSpanId, kTraceState, kParentSpanId, kName, kKind, kStartTime, kEndTime,
             kAttributes, kDroppedAttributesCount, kEvents, kDroppedEventsCount, kLinks,
             kDroppedLinksCount, kStatus, kFlags});
};

struct SpanEventField {
  static constexpr ProtoField kTime = ProtoField::fixed64(1);
  static constexpr ProtoField kName = ProtoField::sized(2);
  static constexpr ProtoField kAttributes = ProtoField::sized(3);
  static constexpr ProtoField kDroppedAttributesCount = ProtoField::varint(4);
  static constexpr KnownFields kKnown = known({kTime, kName, kAttributes, kDroppedAttributesCount});
};

struct SpanLinkField {
  static constexpr ProtoField kTraceId = ProtoField::sized(1);
  static constexpr ProtoField kSpanId = ProtoField::sized(2);
  static constexpr ProtoField kTraceState = ProtoField::sized(3);
  static constexpr ProtoField kAttributes = ProtoField::sized(4);
  static constexpr ProtoField kDroppedAttributesCount = ProtoField::varint(5);
  static constexpr ProtoField kFlags = ProtoField::fixed32(6);
  static constexpr KnownFields kKnown =
      known({kTraceId, kSpanId, kTraceState, kAttributes, kDroppedAttributesCount, kFlags});
};

struct SpanStatusField {
  static constexpr ProtoField kMessage = ProtoField::sized(2);
  static constexpr ProtoField kCode = ProtoField::varint(3);
  static constexpr KnownFields kKnown = known({kMessage, kCode});
};

// logs.proto

struct LogRecordField {
  static constexpr ProtoField kTime = ProtoField::fixed64(1);
  static constexpr ProtoField kSeverityNumber = ProtoField::varint(2);
  static constexpr ProtoField kSeverityText = ProtoField::sized(3);
  static constexpr ProtoField kBody = ProtoField::sized(5);
  static constexpr ProtoField kAttributes = ProtoField::sized(6);
  static constexpr ProtoField kDroppedAttributesCount = ProtoField::varint(7);
  static constexpr ProtoField kFlags = ProtoField::fixed32(8);
  static constexpr ProtoField kTraceId = ProtoField::sized(9);
  static constexpr ProtoField kSpanId = ProtoField::sized(10);
  static constexpr ProtoField kObservedTime = ProtoField::fixed64(11);
  static constexpr ProtoField kEventName = ProtoField::sized(12);
  static constexpr KnownFields kKnown =
      known({kTime, kSeverityNumber, kSeverityText, kBody, kAttributes, kDroppedAttributesCount,
             kFlags, kTraceId, kSpanId, kObservedTime, kEventName});
};

}  // namespace vigia::wire::otlp
