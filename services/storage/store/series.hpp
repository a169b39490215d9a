// How a store names a series.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

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

}  // namespace vigia::storage::store
