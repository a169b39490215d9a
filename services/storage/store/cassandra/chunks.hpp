// The chunk store on Cassandra: blocks of many series, in partitions by metric, period and part;
// roll-ups in rows of their own (rollup_rows.hpp).
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/chunk_cursor.hpp"
#include "services/storage/store/cassandra/chunk_places.hpp"
#include "services/storage/store/cassandra/due_days.hpp"
#include "services/storage/store/cassandra/kept_from.hpp"
#include "services/storage/store/cassandra/rollup_rows.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::store::cassandra {

/// As ChunkStore. What `put` has acknowledged a quorum of the copies has on disk, if the nodes'
/// commit log is as services/storage/cassandra/schema.cql asks: `sync` has nothing left to do.
class CassandraChunks final : public ChunkStore {
 public:
  /// All must outlive it. `writer`: this instance's number, another one at each start.
  CassandraChunks(vigia::cassandra::Session& session, KeptDays& kept, const KeepTimes& keeps,
                  const Clock& clock, std::uint64_t writer);
  /// REQUIRED before anything else.
  Result<void> prepare(Preparation& preparation);

  bool needs_metric() const override { return true; }
  bool has(Resolution /*resolution*/) const override { return true; }
  /// Waits until the days that it reaches into are marked, and where too many requests are under
  /// way; `done` comes on a thread of the driver's, or before it returns.
  void put(const CustomerId& customer, std::span<const ClosedChunk> chunks, Done done) override;
  std::unique_ptr<ChunkCursor> read(const CustomerId& customer, std::span<const SeriesKey> series,
                                    const ChunkQuery& query) override;
  Result<std::optional<TimestampMs>> newest(const CustomerId& customer, const SeriesKey& series,
                                            TimestampMs from_ms) override;
  Result<void> sync() override { return {}; }
  /// Days are not read any more when it returns; their rows end with the class in which they were
  /// written.
  Result<std::size_t> expire(Resolution resolution, const ExpiryCuts& cuts) override;
  /// 0: what the nodes need only they know (nodetool tablestats).
  std::uint64_t disk_bytes() const override { return 0; }
  DueDays* due_days() override { return &due_days_; }

 private:
  struct Blocks;
  struct Putting;
  Result<void> add_blocks(const MetricPlace& place, std::span<const ClosedChunk* const> chunks,
                          std::vector<Blocks>& all);
  Result<void> put_rollups(const CustomerId& customer, std::span<const ClosedChunk> chunks);
  Result<std::vector<Blocks>> blocks_of(const CustomerId& customer,
                                        std::span<const ClosedChunk> chunks);
  void send(const CustomerId& customer, const std::vector<Blocks>& all, Done done);
  Result<void> send_now(const CustomerId& customer, const std::vector<Blocks>& all);
  std::int64_t next_version();
  std::uint32_t kept_day(const CustomerId& customer, Resolution resolution);

  vigia::cassandra::Session& session_;
  KeptDays& kept_;
  const KeepTimes& keeps_;
  const Clock& clock_;
  ChunkPlaces places_;
  RollupRows rollups_;
  const std::int64_t writer_;
  std::atomic<std::int64_t> version_{0};
  std::map<std::string, Statement, std::less<>> writes_;  // by class
  BlockReads reads_;
  CassandraDueDays due_days_;
  std::mutex expire_mutex_;
  std::array<ExpiryLooks, kResolutions> looks_;
};

}  // namespace vigia::storage::store::cassandra
