// Makes the windows of some days of one series and puts them into the store.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "services/storage/rolling/rollup_book.hpp"
#include "services/storage/rolling/window_rows.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::rolling {

struct RolledCounts {
  std::uint64_t days = 0;
  std::uint64_t windows = 0;          ///< put, of all resolutions
  std::uint64_t days_gone = 0;        ///< of which raw is gone: whatever windows there are stay
  std::uint64_t unreadable_rows = 0;  ///< of raw, left out
};

/// Thread contract: one thread, and no other process on the store: a row is read, changed and
/// written.
class DayRoller {
 public:
  /// Of one call, so that what is unpacked at once stays some MiB.
  static constexpr std::size_t kDaysMax = 8;

  /// Both must outlive it; the store marks days.
  DayRoller(store::ChunkStore& chunks, RollupBook& book) : chunks_(chunks), book_(book) {}

  /// `days` are marks of the series, one after the other without a gap, as they were read before.
  /// When it returns they are forgotten, where nobody has set them anew meanwhile. Windows of an
  /// hour are made of samples as those of five minutes are: a mistake in one does not spread. On an
  /// error they stay, and doing it again is right. REQUIRES: 1 to kDaysMax days.
  Result<RolledCounts> roll(const CustomerId& customer, const store::SeriesKey& series,
                            std::span<const store::DueDay> days);

 private:
  struct Job {
    const CustomerId& customer;
    const store::SeriesKey& series;
    store::DayRange days;
  };
  Result<std::uint64_t> put_windows(const Job& job, const std::vector<Sample>& samples,
                                    Resolution resolution);
  Result<std::vector<Window>> kept_beside(const Job& job, Resolution resolution,
                                          std::uint32_t period);
  Result<void> put_histogram_days(const Job& job, const std::vector<std::uint32_t>& days);
  Result<void> put(const Job& job, const std::vector<store::ClosedChunk>& rows);

  store::ChunkStore& chunks_;
  RollupBook& book_;
};

}  // namespace vigia::storage::rolling
