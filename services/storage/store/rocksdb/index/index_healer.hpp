// Keeps the series index whole, behind everything else.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "libs/base/clock.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"

namespace vigia::storage::store::rocksdb::index {

/// How long it waits before it looks again: a second, doubled with each failure up to a minute.
Duration next_look(Duration before, bool is_whole);

/// A thread of its own: SeriesIndex::make_whole once at the start, when what an older program wrote
/// gets its copies, and within a second of each loss. Where the store refuses it is tried again.
/// Its locks are waited for by whoever writes, so it has no lower priority than they have.
class IndexHealer {
 public:
  /// Both must outlive it.
  IndexHealer(SeriesIndex& index, const kv::OrderedStore& store);
  IndexHealer(const IndexHealer&) = delete;
  IndexHealer& operator=(const IndexHealer&) = delete;
  ~IndexHealer();  ///< ends what is under way between two pieces

 private:
  void run();

  SeriesIndex& index_;
  const kv::OrderedStore& store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> is_stopping_{false};  // set under mutex_
  std::thread thread_;
};

}  // namespace vigia::storage::store::rocksdb::index
