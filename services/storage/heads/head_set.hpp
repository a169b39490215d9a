// All open series: what the write-ahead log holds and the chunk store does not yet. Closed chunks
// go to the store by ClosedChunks, so nothing here asks the store while a lock is held.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/customers/past_writes.hpp"
#include "services/storage/heads/closed_chunks.hpp"
#include "services/storage/heads/head.hpp"

namespace vigia::storage::heads {

/// is_new: given its number by the very request that brings the samples.
struct SeriesRef {
  customers::CustomerNumber customer;
  store::SeriesId id;
  bool is_new = false;  ///< the store has no rows of it
};

/// A sample of which another value is there already.
struct Conflict {
  SeriesRef series;
  TimestampMs time_ms = 0;
};

/// What became of samples. Their sum is what came in.
struct AppendCounts {
  std::uint64_t stored = 0;             ///< late ones included
  std::uint64_t late = 0;               ///< older than the newest of their series
  std::uint64_t repeats = 0;            ///< there already, the same value
  std::uint64_t conflicts = 0;          ///< there already, with another value: the first one stays
  std::uint64_t histograms = 0;         ///< of the stored
  std::uint64_t histogram_repeats = 0;  ///< of the repeats
  std::uint64_t set_aside = 0;          ///< a fault of the program kept them out; the log has them
  std::optional<Conflict> first_conflict = {};  ///< of those that are counted: the first met
  AppendCounts& operator+=(const AppendCounts& other);
  void add_conflict(const SeriesRef& series, TimestampMs time_ms);
};

/// Samples of one series on which only the store can decide.
struct StoreWork {
  SeriesRef series;
  std::vector<Sample> samples;
  std::vector<HistogramSample> histograms;
  Epoch epoch = kNoEpoch;
  /// append_known's. While one of the work lives, later samples of its span are work too: who
  /// appends it before them, in several tries if need be (ingest/owed_work.hpp), has the first in
  /// the log stay, now and after a restart. Outlived by the heads; never let go under their locks.
  std::shared_ptr<const void> turn = {};
  std::size_t items() const { return samples.size() + histograms.size(); }
};

/// What of a series is not in the store yet, copied.
struct HeadView {
  customers::CustomerNumber customer;   ///< whose it is; 0 where nothing is open
  std::vector<store::ChunkRow> closed;  ///< on their way to the store
  std::string chunk;                    ///< in order; "" where there is none
  TimestampMs chunk_first_ms = 0;
  TimestampMs chunk_last_ms = 0;
  std::vector<Sample> late;                 ///< sorted
  std::vector<HistogramSample> histograms;  ///< late ones included, sorted
};

struct SweepTime {
  Epoch now = kNoEpoch;
  TimestampMs now_ms = 0;
  bool close_all = false;  ///< everything is over
};

struct HeadStats {
  std::uint64_t open_series = 0;
  std::uint64_t chunk_bytes = 0;        ///< memory of open chunks; as of the last sweep
  std::uint64_t memory_bytes = 0;       ///< of all heads with all that hangs on them
  std::uint64_t closed_for_memory = 0;  ///< series of which rows were written early to make room
  ClosedStats closed;                   ///< chunks on their way to the store
  /// Series that were taken without knowing what the store has of them, as that is damaged: repeats
  /// are then stored twice, which readers merge.
  std::uint64_t unread_series = 0;
};

/// Thread contract: append_known, expect, relieve, close_part and sweep from one thread (the
/// applier's), append_stored from one at a time; the rest from any. Deterministic but for the
/// clock, which only numbers late rows: the same calls after a restart give the same rows.
class HeadSet {
 public:
  struct Memory {
    /// Of all heads together (HeadStats::memory_bytes): open chunks, histograms, late samples and,
    /// up to half of it, what repeats are looked up in.
    std::size_t open_max = SIZE_MAX / 4;
    std::size_t closed_max = 32U << 20U;  ///< of chunks that wait for the store
    ClosedGathering gathering = {};
  };
  /// All must outlive it. `past` is told what was stored, null: nobody is.
  HeadSet(StoredSeries& store, const Clock& clock, const Memory& memory,
          customers::PastWrites* past = nullptr);
  HeadSet(StoredSeries& store, const Clock& clock) : HeadSet(store, clock, Memory()) {}

  /// Says that this series is appended to soon: its memory is fetched meanwhile. Changes nothing.
  void expect(store::SeriesId series) const;

  /// Takes samples of one series, in the order given, none negative in time, as far as memory can
  /// decide on them: reads nothing from the store. What only the store can decide (older than the
  /// series' newest and not in its head; of a series that was quiet for hours) is added to `work`,
  /// for append_stored. Closes chunks that are over. Never fails on the store's account.
  AppendCounts append_known(const SeriesRef& series, std::span<const Sample> samples,
                            std::span<const HistogramSample> histograms, Epoch epoch,
                            std::vector<StoreWork>& work);
  /// The rest of append_known, which may wait for the disk; others do not wait for it meanwhile. On
  /// an error (the store refused) some of the samples are taken; giving all of them again is right.
  Result<AppendCounts> append_stored(StoreWork work);

  /// Past the bound what the customer who holds most has open is written early, and what that
  /// leaves empty is forgotten where closing is not enough: a part at a time, until an eighth is
  /// free. Waits while too many closed chunks wait for the store. Call it often; costs next to
  /// nothing within the bounds. The store's errors, where it refuses.
  Result<void> relieve();
  /// Retryable, where the store does not take what relieve would close: whoever holds much is
  /// refused first, everybody at half as much again as the bound, memory short or not.
  Result<void> check_room(customers::CustomerNumber customer) const;
  /// While memory is short the bound is half of what it was.
  void set_short(bool is_short) { is_short_ = is_short; }

  /// Later samples are kept as late ones, whatever their order: they must not make late what comes
  /// at its time.
  void set_ahead_limit(TimestampMs limit_ms) { ahead_limit_ms_ = limit_ms; }

  /// Closes all of the heads' part `part` of kParts: what sweep does with close_all, in pieces
  /// that do not hold up the applier.
  static constexpr std::size_t kParts = 64;
  Result<void> close_part(std::size_t part);

  /// Closes what is over: windows that have ended, late samples that have waited. Returns the
  /// oldest epoch of what is open or not stored yet, kNoEpoch for nothing. With close_all it waits
  /// until all of it is stored.
  Result<Epoch> sweep(const SweepTime& time);

  /// ClosedChunks::set_log_short.
  void set_log_short(bool is_short) { closed_.set_log_short(is_short); }
  /// ClosedChunks::await_stored.
  Result<void> await_stored(Duration longest) const { return closed_.await_stored(longest); }

  /// Of which series something that is not in the store yet is of the epoch or an older one. One
  /// that is open and closed may be told twice; what is appended meanwhile may be missing.
  std::vector<SeriesRef> open_until(Epoch epoch) const;

  /// Read it before the store's rows: then nothing is missed, at worst a chunk that was stored in
  /// between is seen twice.
  HeadView read(store::SeriesId series) const;
  HeadStats stats() const;
  /// Chunks that the store never took (ClosedStats).
  std::uint64_t chunks_set_aside() const { return closed_.stats().set_aside; }

 private:
  // Of a series: the span of its work that is not done.
  struct Waiting {
    std::size_t works = 0;
    TimestampMs first_ms = INT64_MAX;
    TimestampMs last_ms = INT64_MIN;
  };
  class Turn;
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, Head> heads;  // added to and taken from by the applier alone
    chunk::BlockPool blocks;                        // of its heads' chunks
    std::uint64_t closings = 0;                     // how often rows went from here to ClosedChunks
    std::unordered_map<std::uint32_t, std::size_t> held;  // memory of its heads by customer
    std::unordered_map<std::uint64_t, Waiting> waiting;
  };
  // Notes what a head's memory has become when it goes.
  class Accounted {
   public:
    Accounted(HeadSet& set, Shard& shard, const Head& head, std::size_t before)
        : set_(set), shard_(shard), head_(head), before_(before) {}
    Accounted(const Accounted&) = delete;
    Accounted& operator=(const Accounted&) = delete;
    ~Accounted() { set_.account(shard_, head_.customer, before_, head_.memory_bytes()); }

   private:
    HeadSet& set_;
    Shard& shard_;
    const Head& head_;
    const std::size_t before_;
  };
  // What closed chunks and the store hold of a series from from_ms to to_ms, decoded once for a run
  // of late samples. True as long as the shard has closed nothing since.
  struct Memo {
    store::SeriesId series;
    std::uint64_t closings = 0;
    TimestampMs from_ms = 0;
    TimestampMs to_ms = -1;
    std::vector<Sample> samples;
    std::vector<HistogramSample> histograms;
    bool covers(TimestampMs time_ms) const { return time_ms >= from_ms && time_ms <= to_ms; }
  };
  struct Target {  // a series with its shard locked
    SeriesRef ref;
    Shard& shard;
    Head& head;
    Epoch epoch;
    const Memo* memo;  // null for whoever must not ask the store
  };
  // What is known of a sample that is older than the newest of its series.
  enum class Known : std::uint8_t { kRepeat, kConflict, kNew, kAskStore };

  static void take_turn(Shard& shard, StoreWork& work);
  Result<void> ask_newest(const StoreWork& work);
  template <typename T>
  Result<void> append_each(const StoreWork& work, const std::vector<T>& samples,
                           AppendCounts& counts);
  /// False where the store has to be asked.
  bool append_one(const Target& target, const Sample& sample, AppendCounts& counts);
  bool append_one(const Target& target, const HistogramSample& sample, AppendCounts& counts);
  bool append_late(const Target& target, const Sample& sample, AppendCounts& counts);
  bool append_late(const Target& target, const HistogramSample& sample, AppendCounts& counts);
  Known known_of(const Target& target, const Sample& sample);
  Known known_of(const Target& target, const HistogramSample& sample);
  Result<void> read_memo(const StoreWork& work, std::uint64_t closings, TimestampMs time_ms);
  Result<std::vector<store::ChunkRow>> rows_of(const SeriesRef& series, TimestampMs from_ms,
                                               TimestampMs to_ms);
  void keep_run(Head& head, std::unique_ptr<StoredRun> run);
  void drop_run(Head& head);
  void close_chunk(store::SeriesId series, Head& head);
  void close_histograms(store::SeriesId series, Head& head);
  void close_late(store::SeriesId series, Head& head);
  void give(store::SeriesId series, Head& head, std::vector<store::ChunkRow> rows, Epoch oldest);
  void sweep_head(store::SeriesId series, Head& head, const SweepTime& time);
  Epoch sweep_shard(Shard& shard, const SweepTime& time, std::uint64_t& chunk_bytes);
  HeadView read_head(store::SeriesId series) const;
  void account(Shard& shard, customers::CustomerNumber customer, std::size_t before,
               std::size_t after);
  std::size_t memory_max() const { return is_short_ ? memory_max_ / 2 : memory_max_; }
  std::size_t held_by(customers::CustomerNumber customer) const;
  customers::CustomerNumber who_holds_most() const;
  bool is_surely_new(const SeriesRef& series, Epoch epoch) const;
  void relieve_part(Shard& shard, customers::CustomerNumber customer);
  std::uint64_t next_version();
  Shard& shard_of(store::SeriesId series);

  bool is_unreadable(const Error& error);

  static constexpr std::size_t kShards = kParts;
  StoredSeries& store_;
  const Clock& clock_;
  customers::PastWrites* const past_;
  const std::size_t memory_max_;
  const std::size_t run_bytes_max_;  // beyond it each repeat is looked for in the store
  std::array<Shard, kShards> shards_;
  Memo memo_;                              // of whoever may read the store
  std::unique_ptr<StoredRun> found_run_;   // of the memo, until its head takes it
  std::atomic<std::size_t> run_bytes_{0};  // of all heads' runs
  std::atomic<std::uint64_t> last_version_{0};
  std::atomic<TimestampMs> ahead_limit_ms_{INT64_MAX};
  std::atomic<std::uint64_t> chunk_bytes_{0};
  std::atomic<std::uint64_t> unread_series_{0};
  std::atomic<std::size_t> memory_{0};  // of all heads
  std::atomic<bool> is_short_{false};
  std::atomic<std::uint64_t> closed_for_memory_{0};
  ClosedChunks closed_;
  Epoch last_forgotten_ = kNoEpoch;  // the newest append to a head that was forgotten for memory
  // Of the applier's: parts that this relief has been through; 0: none is under way.
  std::size_t relieved_parts_ = 0;
  std::size_t next_relieved_ = 0;
};

}  // namespace vigia::storage::heads
