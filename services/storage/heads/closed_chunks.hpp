// Chunks that are closed and not in the store yet: between the open series and the store, so that
// nobody who appends waits for a disk or a network.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/heads/epoch.hpp"
#include "services/storage/heads/stored_series.hpp"

namespace vigia::storage::heads {

struct ClosedStats {
  std::uint64_t chunks = 0;    ///< that wait
  std::uint64_t bytes = 0;     ///< of memory
  std::uint64_t failures = 0;  ///< half minutes in which the store refused some
};

/// A thread of its own writes them into the store, some of one customer at a time, customers in
/// turns, those of one customer in the order in which they came. What the store refuses is tried
/// again until it takes it: the write-ahead log keeps the samples as long (`oldest`), so a kill
/// loses nothing, and ending this with chunks in it loses nothing either.
/// The bound is asked for and not enforced: whoever makes chunks asks for room before, one request
/// or one part of the open series at a time, and that much it may be exceeded.
/// Thread contract: any thread.
class ClosedChunks {
 public:
  /// `store` must outlive it.
  ClosedChunks(StoredSeries& store, std::size_t bytes_max);
  ClosedChunks(const ClosedChunks&) = delete;
  ClosedChunks& operator=(const ClosedChunks&) = delete;
  ~ClosedChunks();

  /// Takes rows of one series of which the oldest sample is of the epoch. Never waits.
  void add(customers::CustomerNumber customer, std::vector<store::ChunkRow> rows, Epoch oldest);

  /// Retryable, where the store does not keep up and this customer has much waiting (past half of
  /// the bound a quarter of it), or all of them together have too much.
  Result<void> check_room(customers::CustomerNumber customer) const;
  /// Waits until less than the bound waits. The store's error where it refuses meanwhile.
  Result<void> await_room() const;
  /// The same for whoever closes many at once: until less than a quarter waits.
  Result<void> await_much_room() const;
  /// Waits, at most so long, until nothing waits. The store's error where it refuses meanwhile;
  /// kDeadline.
  Result<void> await_stored(Duration longest) const;

  /// What waits of a series. Ask here first, then the store: then nothing is missed, at worst a row
  /// is seen twice.
  std::vector<store::ChunkRow> rows_of(store::SeriesId series) const;
  /// The newest last_ms of its in-order rows among them.
  std::optional<TimestampMs> newest(store::SeriesId series) const;
  /// Of all that waits or is being written; kNoEpoch for nothing. Ask after whatever adds.
  Epoch oldest() const;
  ClosedStats stats() const;

 private:
  struct Block;  // what is written at once
  struct Lane {  // of a customer
    std::list<Block> blocks;
    std::size_t bytes = 0;
  };
  Block& block_for(Lane& lane);
  void run();
  Block* next_block(customers::CustomerNumber& customer);
  void forget(customers::CustomerNumber customer);
  void note_failure(const Error& error);
  Result<void> await_below(std::size_t bytes) const;

  StoredSeries& store_;
  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;              // the writer
  mutable std::condition_variable progress_;  // whoever waits for it
  std::map<customers::CustomerNumber, Lane> lanes_;
  std::unordered_multimap<std::uint64_t, const store::ChunkRow*> by_series_;
  std::map<Epoch, std::size_t> epochs_;  // blocks by their oldest
  std::size_t bytes_ = 0;
  std::size_t waiting_ = 0;  // chunks
  std::uint64_t failures_ = 0;
  std::optional<Error> error_;  // of the last write; none where the store took it
  std::chrono::steady_clock::time_point next_count_{};
  std::chrono::steady_clock::time_point next_log_{};
  customers::CustomerNumber last_;  // whose turn was last
  bool is_stopping_ = false;
  std::thread writer_;
};

}  // namespace vigia::storage::heads
