// Exemplars of a point (R-PM-11).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libs/wire/otlp/points.hpp"

namespace vigia::wire::prometheus {

/// What OpenMetrics allows for all names and values of an exemplar's labels together.
inline constexpr std::size_t kExemplarCharactersMax = 128;
/// More of one point are left out, the oldest first.
inline constexpr std::size_t kExemplarsMax = 20;

struct EncodedExemplar {
  double value = 0;
  std::string field;  ///< one `exemplars` field of a prometheus.TimeSeries
};

/// The point's exemplars, encoded, in time order: trace_id and span_id, then filtered attributes as
/// far as there is room; an attribute of those names gives way. Throws protozero::exception.
std::vector<EncodedExemplar> read_exemplars(otlp::MetricKind type, std::string_view point);

}  // namespace vigia::wire::prometheus
