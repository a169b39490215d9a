// Copies a customer's roll-ups from one store into another, a day at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "services/storage/keep/carried_rollups.hpp"
#include "services/storage/keep/copy_counts.hpp"
#include "services/storage/keep/rollup_pages.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::keep {

/// Windows go, not rows: each stands in the other store for as long as no window is made there that
/// holds all of it (rolling::holds_all_of), and none takes the place of one that holds more. Memory
/// goes by the windows of some hundred series in one period. Thread contract: one thread.
class RollupCopy {
 public:
  /// All must outlive it.
  RollupCopy(store::ColdStore& from, store::ColdStore& to, const SayDamage& say)
      : from_(from), to_(to), say_(say) {}

  /// Of the periods that begin on the day, whose rows lie there. On disk at the next sync of the
  /// other store.
  Result<CopyCounts> copy_day(const CustomerId& customer, const CarriedRollups& carried,
                              std::uint32_t day);
  /// How many rows are of days, or resolutions, of which none go.
  Result<CopyCounts> count_left(const CustomerId& customer, const CarriedRollups& carried);
  /// How many days of series have marks that tell of more than goes: of lost ones, and of those
  /// that were not rolled up yet and whose samples do not go; one more where that is not known,
  /// since not all are marked. `note`: the source's, of the customer.
  Result<CopyCounts> count_marks(const CustomerId& customer, const CarriedRollups& carried,
                                 const rolling::RollupNote& note);

 private:
  struct Job {
    const CustomerId& customer;
    RollupPeriod period;
    std::uint32_t from_day;
  };
  Result<void> put(const Job& job, const SeriesPage& page, std::vector<SeriesWindows> windows,
                   CopyCounts& counts);
  Result<CopyCounts> put_once(const Job& job, const SeriesPage& page,
                              const std::vector<SeriesWindows>& windows);
  static void add_rows(const Job& job, const store::SeriesKey& key, const SeriesWindows& own,
                       const SeriesWindows& there, std::vector<store::ClosedChunk>& rows,
                       CopyCounts& counts);
  Result<std::uint64_t> count_rows(const CustomerId& customer, Resolution resolution,
                                   std::uint32_t before_day);

  store::ColdStore& from_;
  store::ColdStore& to_;
  const SayDamage& say_;
};

}  // namespace vigia::storage::keep
