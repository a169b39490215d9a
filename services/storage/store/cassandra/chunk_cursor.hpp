// A read of chunks that is under way: partitions one after the other, the rows of many series
// together, within a bound.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/storage/store/cassandra/chunk_places.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::store::cassandra {

/// The statements that read blocks, by the name of their class.
using BlockReads = std::map<std::string, Statement, std::less<>>;

class RollupRows;

/// What a read needs of its store. All must outlive the read.
struct ChunkReading {
  vigia::cassandra::Session& session;
  ChunkPlaces& places;
  const BlockReads& reads;
  const RollupRows& rollups;
};

/// A row, and when its writer says that it was written; of a roll-up its edition.
struct ReadRow {
  ChunkRow row;
  std::int64_t written = 0;
};
/// By id.
using ReadRows = std::map<std::uint64_t, std::vector<ReadRow>>;

/// One partition's days are of one period, shard and class.
struct BlockPartition {
  std::uint32_t period = 0;
  Shard shard;
  std::string keep;
  auto operator<=>(const BlockPartition&) const = default;
};

/// Takes rows out of partitions. Thread contract: one thread.
class BlockReader {
 public:
  /// `kept_day`: rows that begin on days before it are over. All must outlive it.
  BlockReader(const ChunkReading& reading, const MetricPlace& place, const ChunkQuery& query,
              std::uint32_t kept_day)
      : reading_(reading), place_(place), query_(query), kept_day_(kept_day) {}

  /// Those partitions that may hold rows of the query, by period.
  Result<std::vector<BlockPartition>> partitions() const;
  /// Adds the rows of the ids in `rows` (that are there, in the order of ids) that overlap the
  /// range. Where a block is damaged, its ids are noted in `damaged` and the others go on.
  Result<void> read(std::span<const BlockPartition> some, ReadRows& rows,
                    std::map<std::uint64_t, Error>& damaged) const;

 private:
  Result<void> take(const vigia::cassandra::Page& page, ReadRows& rows,
                    std::map<std::uint64_t, Error>& damaged) const;
  vigia::cassandra::BoundCells key_of(const BlockPartition& partition, std::int64_t most) const;

  const ChunkReading& reading_;
  const MetricPlace& place_;
  const ChunkQuery& query_;
  const std::uint32_t kept_day_;
};

/// Rows by first_ms, version and encoding, each once: the one that ends latest, of those the one of
/// most bytes, and only then the one that was written last: a clock alone decides nothing. Of
/// roll-ups that of the last edition.
std::vector<ChunkRow> sorted_rows(std::vector<ReadRow> rows,
                                  Resolution resolution = Resolution::kRaw);

/// Series of one metric that follow each other in the question are read together, up to kTogether;
/// where their rows are too many for that, fewer. Thread contract: one thread.
class CassandraChunkCursor final : public ChunkCursor {
 public:
  static constexpr std::size_t kTogether = 64;
  static constexpr std::size_t kBytesTogether = 16U << 20U;

  CassandraChunkCursor(const ChunkReading& reading, CustomerId customer,
                       std::span<const SeriesKey> series, const ChunkQuery& query,
                       std::uint32_t kept_day)
      : reading_(reading),
        customer_(std::move(customer)),
        series_(series),
        query_(query),
        kept_day_(kept_day) {}

  Result<std::vector<ChunkRow>> next() override;
  std::size_t at() const override { return at_; }

 private:
  struct Ready {
    std::size_t at;
    Result<std::vector<ChunkRow>> rows;
  };
  void load();
  Result<void> load_some(std::size_t end);
  void give(std::size_t end, ReadRows& rows, const std::map<std::uint64_t, Error>& damaged);
  void give_pages(std::size_t at, std::vector<ChunkRow> rows);

  const ChunkReading reading_;
  const CustomerId customer_;
  const std::span<const SeriesKey> series_;
  const ChunkQuery query_;
  const std::uint32_t kept_day_;
  std::deque<Ready> ready_;
  std::size_t begin_ = 0;                // the first series that is not given yet
  std::optional<std::uint32_t> period_;  // of it: the last one that was read
  std::size_t at_ = 0;
};

}  // namespace vigia::storage::store::cassandra
