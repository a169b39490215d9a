// A search for a customer's traces on Cassandra.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "services/storage/store/cassandra/event_places.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/cassandra/log_walk.hpp"
#include "services/storage/store/cassandra/span_block.hpp"
#include "services/storage/store/cassandra/trace_rows.hpp"

namespace vigia::storage::store::cassandra {

/// What one search holds and looks at, at most; other than these in tests.
struct TraceSearchBounds {
  std::size_t bucket_spans = 200'000;  ///< of a bucket in memory: the latest, then those behind
  std::size_t trace_spans = 100'000;   ///< looked at of one trace
};

/// Walks the blocks of the service from the latest bucket down. A block names all that decides but
/// for the text of operation and tags: what it lets pass is asked of the span itself. Thread
/// contract: one thread.
class BlockSearch {
 public:
  /// All must outlive it. `kept_day`: what is filed before it is over.
  BlockSearch(const SpanTables& tables, const CustomerId& customer, const TraceQuery& query,
              std::uint32_t kept_day, const TraceSearchBounds& bounds = {});
  /// `days`: on which there are spans of the customer, in order.
  Result<TraceEnd> run(const std::vector<std::uint32_t>& days, const EventStore::TraceVisit& visit,
                       const WorkLimit& limit);
  /// That there may be more than was found: spans that no block names.
  void note_left_out() { has_left_out_ = true; }

 private:
  enum class Went : std::uint8_t { kOn, kEnough, kLimited };
  /// The blocks of one part of a slot, and the one that is next.
  struct Part {
    std::unique_ptr<Rows> rows;
    std::optional<std::int64_t> bucket = std::nullopt;
    std::string block = {};
  };
  struct Bucket {
    std::int32_t slot;
    std::uint32_t day;
    std::int64_t number;
    std::vector<TracePlace> found = {};
    bool has_cut = false;
    std::optional<TracePlace> behind = std::nullopt;  // all before it has been looked at
  };
  struct Walk {
    const EventStore::TraceVisit& visit;
    const WorkLimit& limit;
  };

  Result<Went> walk_day(std::uint32_t day, const Walk& walk);
  Result<Went> walk_slot(std::int32_t slot, const std::vector<Shard>& shards, const Walk& walk);
  Result<Went> walk_bucket(Bucket& bucket, const std::vector<Shard>& shards, const Walk& walk);
  Result<std::vector<Part>> open(std::int32_t slot, const std::vector<Shard>& shards,
                                 std::int64_t first, std::int64_t last);
  Result<void> advance(Part& part);
  Went limited_within(const Bucket& bucket);
  Result<Went> ended_within(const Error& error, const Bucket& bucket);
  Result<Went> gather(std::vector<Part>& parts, Bucket& bucket, const Walk& walk);
  Result<void> add_block(const std::string& block, Bucket& bucket);
  Result<bool> may_be(const BlockSpan& span, std::uint32_t day);
  Result<const std::vector<bool>*> tags_of(const BlockSpan& span, std::uint32_t day);
  void put_in_order(Bucket& bucket) const;
  Result<Went> give(Bucket& bucket, const Walk& walk);
  Result<Went> take(const TracePlace& place, const Walk& walk);
  Result<bool> has_span(const std::string& trace_id, const FiledTimes& times, const Walk& walk);
  Result<bool> was_given(const TracePlace& place, const Walk& walk);
  bool is_behind(const TracePlace& place) const {
    return !query_.after || query_.after->is_before(place);
  }
  Result<Went> ended(const Error& error, const TracePlace& place);
  Went limited_before(const TracePlace& place);
  TraceEnd end_of_all() const;

  const SpanTables tables_;
  const CustomerId& customer_;
  const TraceQuery& query_;
  const std::uint32_t kept_day_;
  const TraceSearchBounds bounds_;
  const std::string service_;  // as key
  const bool is_sure_;         // what a block lets pass has all that is asked for
  const std::uint32_t operation_;
  std::vector<std::uint16_t> tags_;
  TimestampNs from_ns_;
  TimestampNs to_ns_;
  Origins origins_;
  std::map<std::pair<std::string, std::string>, std::vector<bool>> origin_tags_;
  std::unordered_set<std::string> given_;
  std::size_t left_;
  std::optional<TracePlace> looked_at_;
  bool has_left_out_ = false;
};

}  // namespace vigia::storage::store::cassandra
