// Copies a customer's exemplars from one store into another.
#pragma once

#include <vector>

#include "services/storage/keep/copy_counts.hpp"
#include "services/storage/keep/series_pages.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::keep {

/// Memory goes by a thousand exemplars. Thread contract: one thread.
class ExemplarCopy {
 public:
  /// All must outlive it.
  ExemplarCopy(store::ColdStore& from, store::ColdStore& to) : from_(from), to_(to) {}

  /// Those of all series from that time on; where the other store keeps none they are counted.
  /// On disk at the next sync of the other store's exemplars.
  Result<CopyCounts> copy(const CustomerId& customer, TimestampMs from_ms);

 private:
  Result<std::vector<store::SeriesId>> having(const CustomerId& customer, const SeriesPage& page,
                                              const store::ExemplarRange& range);
  Result<CopyCounts> count_old(const CustomerId& customer, const SeriesPage& page,
                               TimestampMs from_ms);
  Result<CopyCounts> copy_page(const CustomerId& customer, const SeriesPage& page,
                               TimestampMs from_ms);
  Result<void> put(const CustomerId& customer, const Labels& labels,
                   std::vector<store::NewExemplar>& some, CopyCounts& counts);

  store::ColdStore& from_;
  store::ColdStore& to_;
  const store::WorkLimit unlimited_;
};

}  // namespace vigia::storage::keep
