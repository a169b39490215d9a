// Makes the windows of some days of one series and puts them into the store.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "services/storage/lanes/customer_shares.hpp"
#include "services/storage/rolling/rollup_book.hpp"
#include "services/storage/rolling/window_rows.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::rolling {

struct RolledCounts {
  std::uint64_t days = 0;
  std::uint64_t windows = 0;          ///< put, of all resolutions
  std::uint64_t days_gone = 0;        ///< of which raw is gone: the windows that there are stay
  std::uint64_t days_lost = 0;        ///< of which raw is gone, and no windows were made
  std::uint64_t unreadable_rows = 0;  ///< of raw, left out
  std::uint64_t days_too_large = 0;   ///< that stay due: they need more memory than there is for it
  std::uint64_t windows_kept = 0;     ///< that stay as they were: samples of theirs are damaged
};

/// Marks whose days are settled: to be forgotten, and to be set lost. Many at once, since writers
/// wait meanwhile.
struct SettledDays {
  std::vector<store::DueDay> done;
  std::vector<store::DueDay> lost;
};

/// Thread contract: one thread. A row is read, changed and written: another process may do so at
/// the same time on a store that counts editions only; then one of them fails and is to do it
/// again.
class DayRoller {
 public:
  /// Of one call: a row of hours is written once for all of them.
  static constexpr std::size_t kDaysMax = 8;
  /// For the rows of a day and what is unpacked of them.
  static constexpr std::size_t kMemoryMax = 32U << 20U;

  /// Both must outlive it; the store marks days.
  DayRoller(store::ChunkStore& chunks, RollupBook& book, std::size_t memory_max = kMemoryMax)
      : chunks_(chunks), book_(book), memory_("roll-ups", 2 * memory_max) {}

  /// `days` are marks of the series, one after the other without a gap, as they were read before.
  /// Those that are settled when it returns are added to `settled`. Windows of an hour are made of
  /// samples as those of five minutes are: a mistake in one does not spread. After an error doing
  /// it again is right. A day that had samples, of which none are left and no windows were made, is
  /// lost. One day is read at a time; those of one that is
  /// too large stay as well. No window that is stored gives way to one that lacks samples of it, as
  /// one that is made of damaged raw may (holds_all_of). REQUIRES: 1 to kDaysMax days.
  Result<RolledCounts> roll(const CustomerId& customer, const store::SeriesKey& series,
                            std::span<const store::DueDay> days, SettledDays& settled);

 private:
  struct MadeDay {
    store::DueDay due;
    std::array<std::vector<Window>, kRolledUp.size()> windows;
    bool has_samples = false;
    bool has_histograms = false;
    bool is_damaged = false;  ///< of its raw rows some cannot be read
  };
  struct Job {
    const CustomerId& customer;
    const store::SeriesKey& series;
    std::vector<MadeDay> days;
    bool is_damaged(std::uint32_t day) const;
  };
  Result<void> settle_empty(const Job& job, const store::DueDay& day, SettledDays& settled);
  Result<bool> is_stored(const Job& job, std::uint32_t day);
  Result<void> make_days(Job& job, std::span<const store::DueDay> days, RolledCounts& counts);
  Result<void> make_day(const Job& job, MadeDay& day, RolledCounts& counts);
  void add_windows(const std::vector<store::ChunkRow>& rows, MadeDay& day, RolledCounts& counts);
  Result<void> put_days(const Job& job, RolledCounts& counts);
  Result<void> add_rows(const Job& job, std::size_t resolution,
                        std::vector<store::ClosedChunk>& rows, RolledCounts& counts);
  struct StoredPeriod {
    std::vector<Window> windows;
    std::uint64_t edition = 0;  ///< of the row that they lie in
  };
  Result<StoredPeriod> stored_period(const Job& job, Resolution resolution, std::uint32_t period);
  static std::vector<Window> joined_with(const Job& job, std::vector<Window> stored,
                                         const std::vector<Window>& made, RolledCounts& counts);
  void add_histogram_days(const Job& job, std::vector<store::ClosedChunk>& rows) const;

  store::ChunkStore& chunks_;
  RollupBook& book_;
  lanes::CustomerShares memory_;  // of which one answer may hold half
};

}  // namespace vigia::storage::rolling
