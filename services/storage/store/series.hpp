// How a store names a series, and in which fineness it keeps it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::storage::store {

/// A series' id, given by the catalog of a store: the same for the same customer and labels as long
/// as the catalog knows the series, whichever instance asks, and never that of another series. A
/// store that several instances share derives it from customer and labels; one that a single
/// instance holds may count. Never 0, below 2^63.
struct SeriesId {
  std::uint64_t value = 0;
  auto operator<=>(const SeriesId&) const = default;
};

/// With its customer all that a store needs to find the chunks of a series.
struct SeriesKey {
  std::string metric;  ///< its name; may be "" where the store does not ask for it
  SeriesId id;
};

/// Of what one sample of a chunk stands for. Raw is what was received; the others are made of it.
enum class Resolution : std::uint8_t { kRaw, kFiveMinutes, kHour, kDay };

/// "raw", "5m", "1h", "1d": for errors and settings.
constexpr std::string_view to_text(Resolution resolution) {
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

}  // namespace vigia::storage::store
