// All open series: what the write-ahead log holds and the chunk store does not yet.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/heads/head.hpp"

namespace vigia::storage {

/// What became of samples. Their sum is what came in.
struct AppendCounts {
  std::uint64_t stored = 0;             ///< late ones included
  std::uint64_t late = 0;               ///< older than the newest of their series
  std::uint64_t repeats = 0;            ///< there already, the same value
  std::uint64_t conflicts = 0;          ///< there already, with another value: the first one stays
  std::uint64_t histograms = 0;         ///< of the stored
  std::uint64_t histogram_repeats = 0;  ///< of the repeats
  AppendCounts& operator+=(const AppendCounts& other);
};

/// is_new: given its number by the very request that brings the samples.
struct SeriesRef {
  CustomerNumber customer;
  SeriesId id;
  bool is_new = false;  ///< the store has no rows of it
};

/// What the head of a series holds, copied.
struct HeadView {
  std::string chunk;  ///< in order; "" where there is none
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
  std::uint64_t chunk_bytes = 0;  ///< memory of open chunks; as of the last sweep
};

/// Thread contract: append, expect and sweep from one thread (the applier's); the rest from any.
class HeadSet {
 public:
  /// Both must outlive it.
  HeadSet(ChunkStore& chunks, const Clock& clock);

  /// Says that this series is appended to soon: its memory is fetched meanwhile. Changes nothing.
  void expect(SeriesId series) const;

  /// Takes samples of one series, in the order given, none negative in time. Closes chunks that are
  /// over. Deterministic but for the clock, which only numbers late rows: the same calls after a
  /// restart give the same rows. On an error (the store refused) some of the samples are taken;
  /// giving all of them again is right.
  Result<AppendCounts> append(const SeriesRef& series, const std::vector<Sample>& samples,
                              Epoch epoch);
  Result<AppendCounts> append_histograms(const SeriesRef& series,
                                         const std::vector<HistogramSample>& histograms,
                                         Epoch epoch);

  /// Writes out what is over: windows that have ended, late samples that have waited. Returns the
  /// oldest epoch of what is still open, kNoEpoch for nothing.
  Result<Epoch> sweep(const SweepTime& time);

  /// Nothing where the series has no head. Read it before the store's rows: then nothing is missed,
  /// at worst a chunk that was closed in between is seen twice.
  HeadView read(SeriesId series) const;
  HeadStats stats() const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, Head> heads;
  };
  // Values of one series that the store holds from from_ms to to_ms, decoded once for a run of late
  // samples.
  struct Memo {
    SeriesId series;
    TimestampMs from_ms = 0;
    TimestampMs to_ms = -1;
    std::vector<Sample> samples;
    std::vector<HistogramSample> histograms;
  };
  struct Target {  // a series with its shard locked
    SeriesRef ref;
    Head& head;
    Epoch epoch;
  };

  Result<Head*> head_of(Shard& shard, const SeriesRef& series, TimestampMs first_ms);
  Result<void> append_one(const Target& target, const Sample& sample, AppendCounts& counts);
  Result<void> append_one(const Target& target, const HistogramSample& sample,
                          AppendCounts& counts);
  Result<void> append_late(const Target& target, const Sample& sample, AppendCounts& counts);
  Result<void> append_late(const Target& target, const HistogramSample& sample,
                           AppendCounts& counts);
  Result<void> remember_store(const Target& target, TimestampMs time_ms);
  Result<std::optional<double>> stored_value(const Target& target, TimestampMs time_ms);
  void keep_run(Head& head, std::unique_ptr<StoredRun> run);
  void drop_run(Head& head);
  Result<void> close_chunk(SeriesId series, Head& head);
  Result<void> close_histograms(SeriesId series, Head& head);
  Result<void> close_late(SeriesId series, Head& head);
  Result<void> put(SeriesId series, Head& head, const std::vector<ChunkRow>& rows);
  Result<void> sweep_head(SeriesId series, Head& head, const SweepTime& time);
  std::uint64_t next_version();
  Shard& shard_of(SeriesId series);

  static constexpr std::size_t kShards = 64;
  ChunkStore& chunks_;
  const Clock& clock_;
  std::array<Shard, kShards> shards_;
  Memo memo_;
  std::size_t run_bytes_ = 0;  // of all heads' runs
  std::uint64_t last_version_ = 0;
  std::atomic<std::uint64_t> chunk_bytes_{0};
};

}  // namespace vigia::storage
