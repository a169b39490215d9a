// The open database of a store, and walks over it.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/rocksdb/kv/damage_queue.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Status;
}  // namespace rocksdb

namespace vigia::storage::store::rocksdb::kv {

/// An open database. Whoever uses it holds it open; shared by the store and its walks.
struct Opened {
  Opened(::rocksdb::DB* raw, std::vector<::rocksdb::ColumnFamilyHandle*> families);
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened();
  ::rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles[static_cast<std::size_t>(family)];
  }

  std::unique_ptr<::rocksdb::DB> db;
  std::vector<::rocksdb::ColumnFamilyHandle*> handles;
  std::atomic<bool> is_ending{false};
};

/// What every call answers while the database is not open.
tl::unexpected<Error> mending();

/// The error of a status that is not ok. Damage goes to the queue: where something is to be
/// expected of that, the error is one that passes.
tl::unexpected<Error> failure(DamageQueue& damage, const ::rocksdb::Status& status);

struct ScanRange {
  Family family;
  std::string_view from;
  std::string_view to;
  bool is_backward = false;
};

/// As OrderedStore::scan and scan_back; `opened` null: a walk that ends at once with `mending`.
/// `damage` must outlive it.
std::unique_ptr<Scan> make_scan(std::shared_ptr<Opened> opened, DamageQueue& damage,
                                const ScanRange& range);

}  // namespace vigia::storage::store::rocksdb::kv
