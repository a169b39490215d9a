// Takes batches: write-ahead log first, then the heads, then the answer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "libs/base/task.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/customers/record_times.hpp"
#include "services/storage/heads/head_set.hpp"
#include "services/storage/ingest/copy_renewal.hpp"
#include "services/storage/ingest/ingest_batch.hpp"
#include "services/storage/ingest/late_lane.hpp"
#include "services/storage/ingest/open_copies.hpp"
#include "services/storage/ingest/settings.hpp"
#include "services/storage/lanes/customer_shares.hpp"

namespace vigia::storage::ingest {

/// What it works on; all must outlive it.
struct IngesterParts {
  heads::HeadSet& heads;
  store::ChunkStore& chunks;
  customers::RecordTimes& times;
  const Clock& clock;
  /// Null where nobody else shares the store. Else a write is answered once a copy of it is kept,
  /// too.
  OpenCopies* copies = nullptr;
};

struct IngesterStats {
  heads::AppendCounts counts;  ///< since start, replayed ones left out
  std::uint64_t replayed = 0;
  std::uint64_t replay_damaged = 0;  ///< records of the log that could not be read
  std::uint64_t items_pending = 0;
  std::uint64_t late_pending = 0;  ///< of them, those that wait for a look into the store
  OwedStats owed;                  ///< late ones that were logged and then refused
  std::uint64_t sweeps = 0;
  std::uint64_t sweep_failures = 0;
  CopyRenewalStats renewal;
  disk_log::DiskLogStats log;
};

/// The applier's thread puts what comes into the heads and never waits for a disk read: what only
/// the store can decide goes through a lane of its customer's (LateLane).
/// One bad row is one row: damage that the chunk store cannot get round, and what throws, costs the
/// series at hand its place in the heads (AppendCounts::set_aside) and nobody else anything.
/// Exactly once: a sample's key is customer, series and time; what is there already vanishes, from
/// a client that repeats and from the log that is read again after a kill alike.
/// Thread contract: open, stop and the destructor from one thread; the rest from any.
class Ingester {
  struct Key {};  // only open makes one

 public:
  /// Called once, on a thread of the ingester's or the log's; must not block. An error is
  /// retryable: nothing was promised, and repeating is harmless. A fault of ours on the way may let
  /// it go uncalled: whoever waits must be answered by its destruction, too.
  using Done = Task<void(Result<heads::AppendCounts>)>;

  /// Opens the log, replays it into the heads, starts. Where the store refuses (full disk) the
  /// replay waits for it. kUnavailable where another process holds the folder.
  static Result<std::unique_ptr<Ingester>> open(IngesterSettings settings,
                                                const IngesterParts& parts);
  Ingester(Key key, IngesterSettings settings, const IngesterParts& parts);
  Ingester(const Ingester&) = delete;
  Ingester& operator=(const Ingester&) = delete;
  ~Ingester();

  void write(IngestBatch batch, Done done);
  IngesterStats stats() const;
  /// The highest numbers in what was replayed.
  store::SeriesId replayed_series_max() const { return replayed_series_max_; }
  customers::CustomerNumber replayed_customer_max() const { return replayed_customer_max_; }
  /// False while the log refuses what comes: full, or its disk is.
  bool is_taking() const;
  /// While memory is short whoever has most under way is refused first.
  void set_short(bool is_short);
  /// Refuses further writes, ends what is under way. Safe twice.
  void stop();
  /// Closes all that is open, waits until the store has it on disk and lets the log go: for whoever
  /// looks after a store that nobody writes to. kUnavailable where the store does not take it.
  /// REQUIRES: stop.
  Result<void> close_all();

 private:
  /// What a batch takes until it is answered, given back wherever it ends.
  struct Ticket {
    Ticket(std::atomic<std::size_t>& count, std::size_t own, lanes::CustomerShares& shares,
           std::string_view customer)
        : pending(count), items(own), share(shares, customer) {
      pending += items;
    }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() { pending -= items; }

    std::atomic<std::size_t>& pending;
    const std::size_t items;
    lanes::HeldShare share;
    std::optional<OpenCopies::UnderWay> copy;
  };
  struct Item {
    IngestBatch batch;
    disk_log::RecordHeader header;
    Done done;
    std::unique_ptr<Ticket> ticket;
  };

  Result<void> check_room(const IngestBatch& batch, lanes::HeldShare& share) const;
  void log(IngestBatch batch, std::unique_ptr<Ticket> ticket, Done done);
  void write_with_copies(IngestBatch batch, std::unique_ptr<Ticket> ticket, Done done);
  Result<void> replay();
  Result<void> tell_replayed();
  Result<void> replay_record(const disk_log::DiskRecord& record, disk_log::Cursor& cursor);
  void run();
  bool take_turn();
  void apply(Item& item);
  void finish(std::unique_ptr<Ticket> ticket, Result<heads::AppendCounts> counts, const Done& done);
  /// `late` takes what only the store can decide; null: it is asked at once.
  Result<heads::AppendCounts> apply_batch(const IngestBatch& batch,
                                          const disk_log::RecordHeader& header,
                                          std::vector<heads::StoreWork>* late);
  Result<void> apply_series(const heads::SeriesRef& ref, const SeriesBatch& series,
                            std::vector<heads::StoreWork>* late, heads::AppendCounts& counts);
  void note_position(const disk_log::RecordHeader& header, bool is_replay);
  void note_times(const IngestBatch& batch, const disk_log::RecordHeader& header);
  heads::Epoch steady_epoch() const;
  void close_some();
  void sweep();
  Result<void> checkpoint(heads::Epoch oldest);

  IngesterSettings settings_;
  heads::HeadSet& heads_;
  store::ChunkStore& chunks_;
  customers::RecordTimes& times_;
  const Clock& clock_;
  OpenCopies* const copies_;
  SlotClock slots_;
  lanes::CustomerShares pending_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;
  heads::AppendCounts counts_;

  std::atomic<bool> is_stopping_{false};
  std::atomic<std::size_t> items_pending_{0};
  std::atomic<std::uint64_t> replayed_{0};
  std::atomic<std::uint64_t> replay_damaged_{0};
  std::atomic<std::uint64_t> sweeps_{0};
  std::atomic<std::uint64_t> sweep_failures_{0};

  // Of the applier's thread.
  TimePoint next_sweep_;
  heads::Epoch epoch_ = heads::kNoEpoch;
  // Closing goes by steady time from here on: after a step of the wall clock ahead and back it
  // would else stand still until that time comes.
  heads::Epoch epoch_at_start_ = heads::kNoEpoch;
  TimePoint start_;
  std::size_t next_part_ = 0;  // to be closed while the log is nearly full
  store::SeriesId replayed_series_max_;
  customers::CustomerNumber replayed_customer_max_;
  std::map<heads::Epoch, disk_log::LogPosition> epoch_starts_;
  disk_log::LogPosition applied_;  // everything before it is in the heads

  std::unique_ptr<disk_log::DiskLog> log_;
  std::unique_ptr<LateLane> late_;
  std::unique_ptr<CopyRenewal> renewal_;  // null without copies
  std::thread applier_;
};

}  // namespace vigia::storage::ingest
