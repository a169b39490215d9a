// Chunks that are closed and not in the store yet: between the open series and the store, so that
// nobody who appends waits for a disk or a network.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/heads/closed_lanes.hpp"
#include "services/storage/heads/epoch.hpp"
#include "services/storage/heads/stored_series.hpp"

namespace vigia::storage::heads {

struct ClosedStats {
  std::uint64_t chunks = 0;     ///< that wait
  std::uint64_t bytes = 0;      ///< of memory
  std::uint64_t failures = 0;   ///< half minutes in which the store refused some
  std::uint64_t set_aside = 0;  ///< chunks that the store never took, those lost included
  std::uint64_t lost = 0;       ///< of these, those that the quarantine did not take either
};

/// Chunks of one customer that wait for others, for a store that would else have a row for each.
struct ClosedGathering {
  Duration longest{0};                    ///< 0: none waits
  std::size_t bytes_at_once = 4U << 20U;  ///< of a customer, of memory; then they wait no longer
};

/// How often what the store refuses is tried again.
struct ClosedPatience {
  Duration first = std::chrono::milliseconds(50);  ///< doubled each time
  Duration longest = std::chrono::seconds(2);      ///< where it passes
  Duration apart = std::chrono::minutes(1);        ///< where the chunk is to blame
  Duration given_up = std::chrono::minutes(30);    ///< then such a chunk is set aside
};

/// A thread of its own writes them into the store, some of one customer at a time, customers in
/// turns, those of one customer in the order in which they came. Where they are gathered, a
/// customer's turn comes once his first one has waited for long, or his are many; at once where an
/// eighth of the bound waits, the log is short or somebody waits for the end. Until then the
/// write-ahead log has them and readers see them, as all that waits. What the store refuses for now
/// is tried again until it takes it: the write-ahead log keeps the samples as long (`oldest`), so a
/// kill loses nothing, and ending this with chunks in it loses nothing either.
/// One bad chunk is one chunk: a block that is refused for another reason (a fault) is taken
/// out of its lane and tried chunk by chunk. What is refused alone, while the
/// store takes others, for half an hour is set aside: written into a file of the quarantine,
/// logged, counted; then the log lets go of it. While the quarantine refuses, it stays as it is,
/// and is tried at both again; it is let go and lost only where it would else stop everybody (the
/// log nears its cap, or the bound below its half). The bound is asked for and not enforced:
/// whoever makes chunks asks for room before, one request or one part of the open series at a time,
/// and that much it may be exceeded. Thread contract: any thread.
class ClosedChunks {
 public:
  /// `store` must outlive it.
  ClosedChunks(StoredSeries& store, std::size_t bytes_max, const ClosedPatience& patience = {},
               const ClosedGathering& gathering = {});
  ClosedChunks(const ClosedChunks&) = delete;
  ClosedChunks& operator=(const ClosedChunks&) = delete;
  ~ClosedChunks();

  /// Takes rows of one series of which the oldest sample is of the epoch. Never waits. Throws
  /// std::bad_alloc, and then has taken none.
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

  /// While the log has little room left, what can be put nowhere holds it no longer.
  void set_log_short(bool is_short) { is_log_short_ = is_short; }

  /// What waits of a series. Ask here first, then the store: then nothing is missed, at worst a row
  /// is seen twice.
  std::vector<store::ChunkRow> rows_of(store::SeriesId series) const;
  /// Whose these are; 0 where none waits.
  customers::CustomerNumber owner_of(store::SeriesId series) const;
  /// The newest last_ms of its in-order rows among them.
  std::optional<TimestampMs> newest(store::SeriesId series) const;
  /// Of all that waits or is being written; kNoEpoch for nothing. Ask after whatever adds.
  Epoch oldest() const;
  /// Of which series something waits that was given with the epoch or an older one, or beside such.
  std::vector<std::pair<customers::CustomerNumber, store::SeriesId>> waiting_until(
      Epoch epoch) const;
  ClosedStats stats() const;

 private:
  using Lock = std::unique_lock<std::mutex>;
  void write_all();
  void run();
  bool is_much() const;
  TurnRule turn_rule() const;
  void await_more(Lock& lock, const ClosedBlock* apart);
  void write(Lock& lock, const ClosedTurn& turn);
  Result<void> try_put(const std::vector<ClosedBlock*>& blocks);
  void note_refusal(const Error& error, const ClosedTurn& turn);
  void write_apart(Lock& lock, ClosedBlock& block);
  Result<void> try_put(customers::CustomerNumber customer, std::span<store::ClosedChunk> chunks);
  void put_apart(ClosedBlock& block);
  bool stops_others() const;
  bool is_to_blame(const ClosedBlock& block) const;
  void set_aside(Lock& lock, ClosedBlock& block, bool is_given_up);
  Result<std::string> try_keep_aside(customers::CustomerNumber customer,
                                     const store::ClosedChunk& chunk);
  void note_failure(const Error& error);
  Result<void> await_below(std::size_t bytes) const;

  StoredSeries& store_;
  const std::size_t bytes_max_;
  const ClosedPatience patience_;
  const ClosedGathering gathering_;
  mutable std::mutex mutex_;
  mutable std::condition_variable wake_;      // the writer
  mutable std::condition_variable progress_;  // whoever waits for it
  ClosedLanes waiting_;
  std::uint64_t failures_ = 0;
  std::uint64_t set_aside_ = 0;
  std::uint64_t lost_ = 0;
  std::atomic<bool> is_log_short_{false};
  mutable std::size_t awaiting_ = 0;  // who waits until all is stored
  std::uint64_t taken_ = 0;           // writes
  std::optional<Error> error_;        // of the last write of a lane; none where the store took it
  std::optional<Error> apart_error_;  // of the last one apart
  std::size_t refused_in_a_row_ = 0;  // turns
  Duration retry_ = patience_.first;
  TimePoint next_count_{};
  TimePoint next_log_{};
  bool is_stopping_ = false;
  std::thread writer_;
};

}  // namespace vigia::storage::heads
