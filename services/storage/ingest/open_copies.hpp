// Between the ingester and the copies of what is open: which copies a batch needs, and which are
// needed no longer.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/heads/epoch.hpp"
#include "services/storage/heads/head_set.hpp"
#include "services/storage/ingest/ingest_batch.hpp"
#include "services/storage/store/open_rows.hpp"

namespace vigia::storage::ingest {

/// Rows for the batch, of each customer his own, of some hundred KiB at most; a single sample that
/// is larger is a row alone. kUnavailable for a number that nobody has.
Result<std::vector<store::OpenRow>> open_rows_of(const IngestBatch& batch,
                                                 const customers::CustomerNumbers& numbers);

/// The slot of now: the wall clock's minute. Where that clock is set back it counts on by the
/// steady one, so it never falls, and after a step ahead never stands still. So no record of the
/// write-ahead log is of a later minute than the slot of its copy, nor of those that come after it.
/// Thread contract: any thread.
class SlotClock {
 public:
  /// Not before `first`.
  void start(store::OpenSlot first, const Clock& clock);
  store::OpenSlot now(const Clock& clock);

 private:
  std::mutex mutex_;
  store::OpenSlot slot_ = 0;
  TimePoint since_;  // by which it was slot_
};

/// Thread contract: any thread.
class OpenCopies {
 public:
  /// Both must outlive it.
  OpenCopies(store::OpenRows& rows, const customers::CustomerNumbers& numbers)
      : rows_(rows), numbers_(numbers) {}

  /// A batch between its arrival and its place in the heads: its slot is needed, the one of now or
  /// a later one.
  class UnderWay {
   public:
    UnderWay(OpenCopies& copies, store::OpenSlot now);
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;
    ~UnderWay();
    store::OpenSlot slot() const { return slot_; }

   private:
    OpenCopies& copies_;
    store::OpenSlot slot_;
  };

  /// As OpenRows::replayed.
  Result<void> replayed(store::OpenSlot newest, bool is_whole) {
    return rows_.replayed(newest, is_whole);
  }
  /// As OpenRows::keep, of a batch that is under way.
  void keep(store::OpenSlot slot, std::vector<store::OpenRow> rows, store::OpenRows::Done done) {
    rows_.keep(slot, std::move(rows), std::move(done));
  }
  Result<std::vector<store::OpenRow>> rows_of(const IngestBatch& batch) const {
    return open_rows_of(batch, numbers_);
  }

  /// What was kept in `slot` is in the heads from now on, in those of `epoch`; 0: in a slot of
  /// before the start, whichever.
  void applied(store::OpenSlot slot, heads::Epoch epoch);
  /// All of older epochs is in the store; kNoEpoch: all that was applied. `now`: the slot of now.
  void release(heads::Epoch oldest, store::OpenSlot now);

  /// Up to which epoch what is open is to be kept once more; kNoEpoch while nothing is older than
  /// four hours.
  heads::Epoch due_until(store::OpenSlot now) const;
  /// All that is open of these epochs was kept in `slot`, which is under way.
  void renewed(heads::Epoch until, store::OpenSlot slot);

 private:
  store::OpenRows& rows_;
  const customers::CustomerNumbers& numbers_;
  mutable std::mutex mutex_;
  store::OpenSlot released_ = 0;  // no batch gets an older slot any more
  std::map<store::OpenSlot, std::size_t> under_way_;
  std::map<heads::Epoch, store::OpenSlot> oldest_slots_;  // of what was applied in each epoch
};

/// The answer to a batch, given once it is in the heads and its copies are kept. Held by whoever
/// still has to say one of the two: where neither comes, the last one's end answers.
class AnswerOfBoth {
 public:
  using Done = Task<void(Result<heads::AppendCounts>)>;
  explicit AnswerOfBoth(Done done) : done_(std::move(done)) {}
  void applied(Result<heads::AppendCounts> counts);
  void kept(Result<void> outcome);

 private:
  void answer_if_whole(std::unique_lock<std::mutex> lock);

  std::mutex mutex_;
  std::optional<Result<heads::AppendCounts>> counts_;
  std::optional<Result<void>> kept_;
  Done done_;
};

}  // namespace vigia::storage::ingest
