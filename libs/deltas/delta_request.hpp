// The delta points of a request, and the request with others in their place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/deltas/fault.hpp"
#include "libs/deltas/stream_key.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::deltas {

/// A point of a sum or histogram whose temporality is delta.
struct DeltaPoint {
  std::uint32_t item = 0;
  wire::otlp::MetricKind type = wire::otlp::MetricKind::kNone;
  bool is_monotonic = false;
  StreamKey stream;
  std::uint64_t start_ns = 0;
  std::uint64_t time_ns = 0;
  std::string_view bytes;  ///< in the body
};

/// In the order of the body, those that the judge wants. A stream is what has one resource, scope,
/// name, unit, kind and set of attributes, in whatever order these stand. kInvalid as
/// wire::otlp::walk.
Result<std::vector<DeltaPoint>> find_deltas(std::string_view body, PointJudge& judge);

/// What stands in an item's place: its new bytes; nothing leaves it out.
using Places = std::vector<std::pair<std::uint32_t, std::optional<std::string>>>;

/// The body, its metrics of delta temporality called cumulative, and those items (ascending)
/// replaced; all else byte for byte. Throws protozero::exception on damaged bytes.
std::string with_places(std::string_view body, const Places& places);

}  // namespace vigia::deltas
