// Roll-ups as they lie in a store: of many series, a period at a time.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "services/storage/keep/copy_counts.hpp"
#include "services/storage/keep/series_pages.hpp"
#include "services/storage/rolling/window_rows.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::keep {

/// The days of one row of windows.
struct RollupPeriod {
  Resolution resolution = Resolution::kHour;
  std::uint32_t first_day = 0;  ///< as rolling::period_of gives it

  std::uint32_t last_day() const { return first_day + rolling::period_days(resolution) - 1; }
  /// What of a store's rows lies in it.
  store::ChunkQuery query() const;
};

/// What is stored of one series in a period.
struct SeriesWindows {
  std::size_t at = 0;  ///< of the series that were asked for
  rolling::StoredWindows stored;
  std::uint64_t edition = 0;  ///< of the row of its windows; 0: there is none, or none is counted
};

/// Takes the place of a series whose rows cannot be read, and why.
using UnreadRollup = std::function<void(std::size_t at, const std::string& why)>;
/// Of those series that have any, in their order. The store's errors. Memory goes by their windows.
Result<std::vector<SeriesWindows>> read_windows(store::ChunkStore& chunks,
                                                const CustomerId& customer,
                                                std::span<const store::SeriesKey> series,
                                                const RollupPeriod& period,
                                                const UnreadRollup& unread);

/// Some hundred series, and what is stored of them. An error ends the walk.
using RollupVisit =
    std::function<Result<void>(const SeriesPage& page, std::vector<SeriesWindows> windows)>;
/// All of a customer's in the period; those that cannot be read are told, and left out. How many
/// these were. The store's errors, or `visit`'s.
Result<std::uint64_t> each_rollup_page(store::ColdStore& store, const CustomerId& customer,
                                       const RollupPeriod& period, const SayDamage& say,
                                       const RollupVisit& visit);

/// The same for the same window, in whatever row it lies.
std::string bytes_of(const rolling::Window& window, Resolution resolution);

}  // namespace vigia::storage::keep
