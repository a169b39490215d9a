// The parts of a window by their names: what is asked for with the matcher __rollup__="1h:sum".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/resolution.hpp"
#include "libs/rollup/stretch.hpp"
#include "libs/rollup/window.hpp"

namespace vigia::rollup {

/// Times are in seconds since 1970, as PromQL's `timestamp` gives them.
enum class Part : std::uint8_t {
  kFirst,
  kLast,
  kCount,
  kSum,
  kMin,
  kMax,
  kResets,
  kDropped,
  kFirstTime,
  kLastTime,
  kStaleTime,  ///< of the stale mark with which the window ends
  kIncrease,   ///< the last three are what PromQL's function of that name makes of the window
  kRate,
  kDelta,
};

inline constexpr std::array<std::string_view, 14> kPartNames = {
    "first",   "last",       "count",     "sum",        "min",      "max",  "resets",
    "dropped", "first_time", "last_time", "stale_time", "increase", "rate", "delta"};

std::string_view to_string(Part part);

/// One part of the windows of a resolution that is not raw.
struct Asked {
  Resolution resolution = Resolution::kHour;
  Part part = Part::kLast;
  bool operator==(const Asked&) const = default;
};

/// "1h:sum".
std::string to_string(const Asked& asked);
/// kInvalid for what is not "resolution:part"; kNotFound, naming those that there are, for a
/// resolution or a part that there is not.
Result<Asked> parse_asked(std::string_view text);

/// A time as a part.
constexpr double seconds_of(TimestampMs time_ms) {
  constexpr double kMsPerSecond = 1'000;
  return static_cast<double>(time_ms) / kMsPerSecond;
}

/// Nothing where the window has no such part: of one without samples all but the stale mark, of one
/// that ends with a sample that, of one with a single sample what tells of a change. REQUIRES:
/// width_ms is the window's.
std::optional<double> value_of(const Window& window, Part part, TimestampMs width_ms);

/// That which is made of several fields of a window; nothing for a part that is a field.
constexpr std::optional<Change> change_in(Part part) {
  if (part == Part::kIncrease) return Change::kIncrease;
  if (part == Part::kRate) return Change::kRate;
  if (part == Part::kDelta) return Change::kDelta;
  return std::nullopt;
}

}  // namespace vigia::rollup
