// What an evaluation works on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/wire/edit/editable.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::ottl {

/// The messages of OTLP that one item stands in.
enum class MessageLevel : std::uint8_t {
  kResource,
  kScope,
  kSpan,
  kSpanEvent,
  kMetric,
  kPoint,
  kLog,
  kCache  ///< a KeyValueList for statements to keep things in while they work on an item
};
inline constexpr std::size_t kLevels = 8;

/// Whether the attribute says whose data it is: no statement changes it.
inline bool is_customer_attribute(std::string_view key) { return key == "customer.id"; }

/// One item and what it stands in. Messages outlive their use here. Not thread-safe.
struct Record {
  /// Null where the item stands in no such message.
  std::array<wire::edit::Editable*, kLevels> messages = {};
  /// Of the metric.
  wire::otlp::MetricKind metric_kind = wire::otlp::MetricKind::kNone;
  wire::otlp::Temporality temporality = wire::otlp::Temporality::kUnspecified;
  bool is_monotonic = false;
  std::string_view metric_data = {};  ///< the encoded Gauge, Sum, … with its points

  wire::edit::Editable* at(MessageLevel level) const {
    return messages[static_cast<std::size_t>(level)];
  }
  void set(MessageLevel level, wire::edit::Editable* message) {
    messages[static_cast<std::size_t>(level)] = message;
  }
};

}  // namespace vigia::ottl
