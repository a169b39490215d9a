// Walks an OTLP request (opentelemetry-proto 1.x, protobuf) without building objects: every view
// points into the body. Unknown fields are passed over (R-OTLP-13), groups are refused, recursion
// is bounded by the message types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"

namespace vigia::wire::otlp {

enum class MetricKind : std::uint8_t {
  kNone = 0,  ///< no data, or a type that came after this code was written
  kGauge = 5,
  kSum = 7,
  kHistogram = 9,
  kExponentialHistogram = 10,
  kSummary = 11,
};

enum class Temporality : std::uint8_t { kUnspecified = 0, kDelta = 1, kCumulative = 2 };

/// One Resource{Metrics,Spans,Logs}.
struct ResourceView {
  std::string_view bytes;  ///< the encoded Resource message, "" where there is none
  std::string_view schema_url;
};

/// One Scope{Metrics,Spans,Logs}.
struct ScopeView {
  std::string_view bytes;  ///< the encoded InstrumentationScope, "" where there is none
  std::string_view schema_url;
};

struct MetricView {
  std::string_view name;
  std::string_view unit;
  std::string_view description;
  std::string_view prometheus_type;  ///< value of the metadata key "prometheus.type", else ""
  MetricKind type = MetricKind::kNone;
  Temporality temporality = Temporality::kUnspecified;
  bool is_monotonic = false;
};

/// Called in the order of the bytes. An item is a data point, a span or a log record; items are
/// numbered from 0 over the whole body, and that number is the index of its verdict.
class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void on_resource(const ResourceView& /*resource*/) {}
  virtual void on_scope(const ScopeView& /*scope*/) {}
  virtual void on_metric(const MetricView& /*metric*/) {}
  /// `bytes` is the encoded NumberDataPoint, …, Span or LogRecord. May throw
  /// protozero::exception: walk() turns it into its error.
  virtual void on_item(std::uint32_t item, std::string_view bytes) = 0;
  /// A resource, a scope or a metric in which no item stood has ended. It costs its reader a look,
  /// and is no item: who charges work counts these beside the items.
  virtual void on_empty() {}
  /// So many bytes outside of items stood in a field that is not known, and were passed over.
  virtual void on_unknown(std::size_t /*bytes*/) {}
};

/// What may stand in one body. A body over it is kTooLarge, and the walk ends there.
struct WalkLimits {
  std::uint32_t items = 0xffffffffU;
  std::uint32_t empty_envelopes = 0xffffffffU;  ///< resources, scopes and metrics without an item
  /// Bytes in fields that OTLP does not know, outside of items. Over this and over half of the body
  /// it is kInvalid: newer senders add some fields, a body made of them holds nothing that is kept.
  std::size_t unknown_bytes = std::numeric_limits<std::size_t>::max();
};

/// Walks a whole Export{Metrics,Trace,Logs}ServiceRequest and returns how many items it holds.
/// kInvalid where the bytes are not such a message, or where a field that may stand once (resource,
/// scope, a metric's data) stands twice: parsers differ on those, so one reader could see another
/// customer than the other. The visitor has then seen the part before the damage: forget it.
Result<std::uint32_t> walk(Signal signal, std::string_view body, Visitor& visitor,
                           const WalkLimits& limits = {});

/// How many items the body holds, by their tags alone.
Result<std::uint32_t> count_items(Signal signal, std::string_view body,
                                  const WalkLimits& limits = {});

}  // namespace vigia::wire::otlp
