// Exemplars in an ordered store. Format: docs/formats/cold-store.md.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/exemplars.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb {

/// As ExemplarStore, by the numbers of customers. Keys begin with the day, so that expiry drops
/// whole files; then customer, series, time. Thread contract: any thread. Errors as the ordered
/// store's.
class KvExemplars final {
  struct Key {};  // only open makes one

 public:
  /// `store` must outlive it.
  static Result<std::unique_ptr<KvExemplars>> open(kv::OrderedStore& store);
  KvExemplars(Key key, kv::OrderedStore& store);

  Result<void> put(customers::CustomerNumber customer, std::span<const NewExemplar> exemplars);
  Result<void> sync() { return store_.sync(); }
  Result<std::vector<SeriesId>> having(customers::CustomerNumber customer,
                                       std::span<const SeriesId> series, const ExemplarRange& range,
                                       const WorkLimit& limit);
  struct SeriesPlace {
    customers::CustomerNumber customer;
    SeriesId series;
  };
  Result<void> read(const SeriesPlace& place, const ExemplarRange& range,
                    const ExemplarStore::Visit& visit, const WorkLimit& limit);
  Result<std::size_t> expire(const kv::DayCuts& cuts) { return days_.expire(cuts, 0); }
  std::uint64_t disk_bytes() const { return store_.disk_bytes(kv::Family::kExemplars); }
  std::uint64_t damaged() const { return damaged_; }

 private:
  struct DayWalk {
    std::string prefix;  // of the series' keys on that day
    const ExemplarRange& range;
    const WorkLimit& limit;
  };
  Result<bool> read_day(const DayWalk& walk, const ExemplarStore::Visit& visit);
  Result<std::vector<SeriesId>> having_on(std::uint32_t day, customers::CustomerNumber customer,
                                          std::span<const SeriesId> series, const WorkLimit& limit);

  kv::OrderedStore& store_;
  kv::DaySet days_;
  std::atomic<std::uint64_t> damaged_{0};
};

/// kCorrupt for a row that is none of an exemplar.
Result<void> check_exemplar_row(std::string_view key, std::string_view value);

}  // namespace vigia::storage::store::rocksdb
