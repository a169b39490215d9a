// What the agent measures, before it is put through the OpenTelemetry SDK.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vigia::agent::host {

enum class InstrumentKind : std::uint8_t {
  kCounter,        ///< only grows
  kUpDownCounter,  ///< a part of a sum
  kGauge,
};

/// Keys and values that tell the points of a family apart.
using PointAttributes = std::vector<std::pair<std::string_view, std::string>>;
using PointValue = std::variant<std::int64_t, double>;

struct MetricPoint {
  PointAttributes attributes;
  PointValue value;
};

/// One instrument and its points of this round. Name, unit, kind and the type of value of a name
/// never change while the agent runs.
struct MetricFamily {
  std::string_view name;
  std::string_view unit;  ///< UCUM; "" so that the Prometheus name grows no suffix
  std::string_view description;
  InstrumentKind kind = InstrumentKind::kGauge;
  bool is_double = false;
  std::int64_t start_ns = 0;  ///< since when sums are counted, wall clock
  std::vector<MetricPoint> points;
};

}  // namespace vigia::agent::host
