// Copies a customer's raw samples from one store into another, a day at a time.
#pragma once

#include <vector>

#include "services/storage/keep/copy_counts.hpp"
#include "services/storage/keep/series_pages.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::keep {

struct CopiedDay {
  std::uint32_t day = 0;
  bool is_first = false;  ///< rows that reach into it from the day before go with it
};

/// Rows go as they are, with their versions, so that of two values at one time the same one stays.
/// Nothing that the other store holds is replaced: what lies there already is passed over, and
/// where another row has the place of one, that one goes behind it. Memory goes by some MiB and one
/// row. Thread contract: one thread.
class SampleCopy {
 public:
  /// All must outlive it.
  SampleCopy(store::ColdStore& from, store::ColdStore& to, const SayDamage& say)
      : from_(from), to_(to), say_(say) {}

  /// The rows whose first sample lies on the day. On disk at the next sync of the other store.
  Result<CopyCounts> copy_day(const CustomerId& customer, const CopiedDay& day);
  /// How many rows end before the day: those that are not copied where it is the first.
  Result<CopyCounts> count_before(const CustomerId& customer, std::uint32_t day);

 private:
  struct Placed {
    std::size_t at = 0;  // of its series on the page
    store::ClosedChunk chunk;
    bool is_there = false;
    bool is_taken = false;  // its place, by another row
    bool is_left = false;   // what lies there cannot be read
  };

  Result<CopyCounts> copy_page(const CustomerId& customer, const CopiedDay& day,
                               const SeriesPage& page);
  bool is_sound(const CustomerId& customer, const store::FoundSeries& series,
                const store::ChunkRow& row) const;
  Result<void> put(const CustomerId& customer, const SeriesPage& page, std::vector<Placed>& rows,
                   CopyCounts& counts);
  Result<void> resolve(const CustomerId& customer, const SeriesPage& page,
                       std::vector<Placed>& rows);
  Result<void> compare(const CustomerId& customer, std::vector<Placed>& rows);
  static void note_there(Placed& row, const store::ChunkRow& there);
  static void put_behind(std::vector<Placed*>& rows, std::uint64_t highest);

  store::ColdStore& from_;
  store::ColdStore& to_;
  const SayDamage& say_;
};

}  // namespace vigia::storage::keep
