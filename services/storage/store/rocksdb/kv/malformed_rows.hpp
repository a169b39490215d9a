// Rows that are met on a walk and are none: set aside together when the walk is over.
#pragma once

#include <string>
#include <vector>

#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// Thread contract: one thread. `store` must outlive it.
class MalformedRows {
 public:
  /// `reason` is for the note in the quarantine and the log. Past rows_max they are set aside while
  /// the walk goes on.
  MalformedRows(OrderedStore& store, std::string reason, std::size_t rows_max = 1'000)
      : store_(store), reason_(std::move(reason)), rows_max_(rows_max) {}
  MalformedRows(const MalformedRows&) = delete;
  MalformedRows& operator=(const MalformedRows&) = delete;
  ~MalformedRows() { set_aside(); }

  /// The row at which the walk is.
  void add(Family family, const Scan& scan) {
    add({family, std::string(scan.key()), std::string(scan.value())});
  }
  void add(KeyValue row);
  bool empty() const { return rows_.empty(); }
  /// Where the disk refuses they stay in the store, and are met again.
  void set_aside();

 private:
  OrderedStore& store_;
  const std::string reason_;
  const std::size_t rows_max_;
  std::vector<KeyValue> rows_;
};

}  // namespace vigia::storage::store::rocksdb::kv
