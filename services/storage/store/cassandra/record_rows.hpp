// Log records of one slot, wherever they lie, in the order of their times.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/cassandra/series_identity.hpp"
#include "services/storage/store/cassandra/stream_times.hpp"
#include "services/storage/store/trace_query.hpp"

namespace vigia::storage::store::cassandra {

struct StoredRecord {
  TimestampNs time_ns = 0;
  std::int64_t arrival = 0;
  std::int32_t number = 0;
  std::int32_t equal = 0;
  std::string digest;
  std::uint32_t day = 0;
  std::string resource;
  std::string scope;
  std::string item;
};

/// The parts of a slot.
struct RecordSlot {
  std::int32_t slot = 0;
  std::vector<Shard> shards = {};
  bool has_undivided = false;  ///< also those from before there were parts
};

/// Thread contract: one thread.
class RecordRows {
 public:
  /// All must outlive it. What cannot be read is left out and counted in `damaged`.
  RecordRows(const StreamTables& tables, bool is_backward, std::atomic<std::uint64_t>& damaged)
      : tables_(tables), is_backward_(is_backward), damaged_(damaged) {}
  /// What lies between two times, both included.
  Result<void> open(const RecordSlot& slot, TimestampNs from_ns, TimestampNs to_ns);
  /// What is of some of `times`, which are not none.
  static constexpr std::size_t kTimesMax = kRecordTimesAtOnce;
  Result<void> open(const RecordSlot& slot, std::span<const TimestampNs> times);
  /// By time, of one time in any order; nothing at the end.
  Result<std::optional<StoredRecord>> next();

 private:
  struct Part {
    std::unique_ptr<Rows> rows;
    std::optional<StoredRecord> record = std::nullopt;
  };
  enum class Ask : std::uint8_t { kRange, kTimes };
  Result<void> open(const RecordSlot& slot, Ask ask, std::span<const TimestampNs> times);
  Result<void> open_part(const RecordSlot& slot, const Shard* shard, Ask ask,
                         std::span<const TimestampNs> times);
  const Statement& statement_for(const RecordSlot& slot, const Shard* shard, Ask ask) const;
  Result<void> advance(Part& part);
  bool is_before(const Part& part, const Part& other) const;

  const StreamTables tables_;
  const bool is_backward_;
  std::atomic<std::uint64_t>& damaged_;
  std::vector<Part> parts_;
};

}  // namespace vigia::storage::store::cassandra
