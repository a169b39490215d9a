// Metrics' metadata in an ordered store. Format: docs/formats/cold-store.md.
#pragma once

#include <atomic>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/metadata.hpp"
#include "services/storage/store/rocksdb/kv/day_cuts.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb {

/// As MetadataStore, by the numbers of customers. Thread contract: any thread. Errors as the
/// ordered store's.
class KvMetadata final {
 public:
  /// `store` must outlive it.
  explicit KvMetadata(kv::OrderedStore& store) : store_(store) {}

  Result<void> put(customers::CustomerNumber customer, std::span<const MetricMetadata> metrics);
  Result<void> sync() { return store_.sync(); }
  Result<void> read(customers::CustomerNumber customer, std::string_view metric,
                    const MetadataStore::Visit& visit, const WorkLimit& limit);
  /// Rows are looked at where the days of the cuts are others than at the last call: most calls
  /// cost nothing.
  Result<std::size_t> expire(const kv::DayCuts& cuts);
  std::uint64_t disk_bytes() const { return store_.disk_bytes(kv::Family::kMetadata); }
  std::uint64_t damaged() const { return damaged_; }

 private:
  Result<std::size_t> forget_before(const kv::DayCuts& cuts);

  kv::OrderedStore& store_;
  std::atomic<std::uint64_t> damaged_{0};
  std::mutex mutex_;
  std::string expired_to_;  // the days of the last call's cuts; "": it has failed
};

/// kCorrupt for a row that is none of a metric's metadata.
Result<void> check_metadata_row(std::string_view key, std::string_view value);

}  // namespace vigia::storage::store::rocksdb
