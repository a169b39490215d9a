// Keeps the series index whole, behind everything else.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "services/storage/index/series_index.hpp"

namespace vigia::storage {

/// A thread of its own that lets all others go first: SeriesIndex::make_whole once at the start,
/// when what an older program wrote gets its copies, and within a second of each loss. Where the
/// store refuses it is tried again.
class IndexHealer {
 public:
  /// Both must outlive it.
  IndexHealer(SeriesIndex& index, const OrderedStore& store);
  IndexHealer(const IndexHealer&) = delete;
  IndexHealer& operator=(const IndexHealer&) = delete;
  ~IndexHealer();

 private:
  void run();

  SeriesIndex& index_;
  const OrderedStore& store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage
