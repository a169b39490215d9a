// How samples were thinned on their way into a store, and the words for it.
#pragma once

#include <cstdint>
#include <string_view>

namespace vigia {

/// What one stored sample stands for. Raw is what was received; the others, roll-ups, are made of
/// it: one sample stands for a window of that length. Numbers are on disk.
enum class Resolution : std::uint8_t { kRaw, kFiveMinutes, kHour, kDay };

/// "raw", "5m", "1h", "1d": one word wherever a resolution is named (settings, errors, answers).
constexpr std::string_view to_string(Resolution resolution) {
  switch (resolution) {
    case Resolution::kRaw:
      return "raw";
    case Resolution::kFiveMinutes:
      return "5m";
    case Resolution::kHour:
      return "1h";
    case Resolution::kDay:
      return "1d";
  }
  return "unknown";
}

/// The label that tells rolled-up samples from raw ones, where a store is asked for them. It is the
/// router's to write: nobody else asks for it and nobody is shown it.
inline constexpr std::string_view kRollupLabel = "__rollup__";

}  // namespace vigia
