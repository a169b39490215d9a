// A search for a customer's traces.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/rocksdb/events/damaged_items.hpp"
#include "services/storage/store/rocksdb/events/event_reader.hpp"
#include "services/storage/store/rocksdb/events/late_index.hpp"
#include "services/storage/store/rocksdb/events/search_memory.hpp"
#include "services/storage/store/rocksdb/events/span_block.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::events {

/// So many spans are looked at in one search, and of one trace: who asks for more goes on.
inline constexpr std::size_t kSearchSpansMax = 1'000'000;
inline constexpr std::size_t kTraceSpansLookedAt = 100'000;
/// So many traces of a bucket are in memory at once: the latest, then those behind them.
inline constexpr std::size_t kBucketTracesMax = 200'000;

/// What one search costs at most; other than these in tests.
struct SearchBounds {
  std::size_t bucket_traces = kBucketTracesMax;
  std::size_t spans = kSearchSpansMax;
  std::size_t trace_spans = kTraceSpansLookedAt;
  std::size_t known = kBucketTracesMax;  ///< traces that have been read, before their turn
};

/// Walks the index from its latest bucket down. What a block says bounds a trace's place; the
/// trace's spans are read to know it, no earlier than its turn may have come. Thread contract: one
/// thread.
class SpanSearch {
 public:
  /// All but `bounds` must outlive it.
  SpanSearch(kv::OrderedStore& store, customers::CustomerNumber customer, const TraceQuery& query,
             const EventStore::TraceVisit& visit, DamagedItems& damaged,
             const SearchBounds& bounds = {});

  /// `days`: on which there are any, in order; those that the index does not know whole are indexed
  /// by `late`.
  using NeedsIndex = std::function<bool(std::uint32_t day)>;
  Result<TraceEnd> run(const std::vector<std::uint32_t>& days, const NeedsIndex& needs_index,
                       LateIndex& late, const WorkLimit& limit);
  /// Before run: what the page before has read of traces. And after: what this one has, too.
  void recall(LatestSpans latest) { latest_ = std::move(latest); }
  LatestSpans take_latest() { return std::move(latest_); }

 private:
  /// How a part of the search ended.
  enum class Went : std::uint8_t { kOn, kEnough, kLimited };
  /// Of what is walked now: a trace whose latest span is later has had its turn, one whose is
  /// earlier will have it.
  struct Stretch {
    TimestampNs first_ns;
    TimestampNs last_ns;
  };
  using Times = std::optional<TimestampNs>;
  /// A day's blocks, from the latest bucket down, and the one that is read of them.
  struct Blocks {
    std::string prefix;
    std::unique_ptr<kv::Scan> scan;
    bool has_row = false;
    std::uint32_t bucket = 0;
    Stretch stretch = {};
    std::vector<FoundTrace> traces = {};
    bool has_cut = false;
    std::optional<std::uint32_t> bucket_here() const {
      return search_key::bucket_in(scan->key().substr(prefix.size()));
    }
  };

  Result<Went> walk_day(std::uint32_t day, const WorkLimit& limit);
  Blocks blocks_of(std::uint32_t day) const;
  Result<Went> read_bucket(Blocks& blocks, const WorkLimit& limit);
  Result<Went> walk_bucket(const Blocks& blocks, const WorkLimit& limit);
  Went end_in(const Blocks& blocks);
  Result<Went> take(const TracePlace& bound, const Stretch& stretch, const WorkLimit& limit);
  Result<Went> take_one(const TracePlace& bound, const Stretch& stretch, const WorkLimit& limit);
  Result<std::vector<std::string>> ids_of(const std::string& id, std::uint32_t day,
                                          const WorkLimit& limit);
  Went give_until(const TracePlace* bound);
  Went give(const TracePlace& place, const TracePlace& own);
  void keep(const TracePlace& own);
  bool is_cut(std::vector<FoundTrace>& traces);
  bool is_new(const TracePlace& bound) const {
    return !query_.after || query_.after->is_before(bound);
  }
  Result<Times> latest_of(const std::string& trace_id, const WorkLimit& limit);
  bool is_given(const Times& latest) const {
    return latest && query_.after && *latest > query_.after->time_ns;
  }
  Result<Times> latest_on(std::uint32_t day, const std::string& trace_id, const WorkLimit& limit);
  TraceEnd end_of_all() const;
  void note_limit(const TracePlace& bound);

  kv::OrderedStore& store_;
  const customers::CustomerNumber customer_;
  const TraceQuery& query_;
  const EventStore::TraceVisit& visit_;
  DamagedItems& damaged_;
  const SearchBounds bounds_;
  EventReader reader_;
  SpanBlockFilter filter_;
  std::vector<std::uint32_t> days_;
  struct IsBefore {
    bool operator()(const TracePlace& left, const TracePlace& right) const {
      return left.is_before(right);
    }
  };
  std::set<TracePlace, IsBefore> known_;   // whose turn has not come yet
  std::optional<TracePlace> known_until_;  // the first of them that had no room
  LatestSpans latest_;
  std::unordered_set<std::string> given_;
  std::optional<TracePlace> behind_;  // of the bucket that is walked: what was cut comes behind it
  std::optional<TracePlace> looked_at_;
  std::size_t spans_ = 0;        // of bounds behind query_.after
  bool is_further_ = false;      // than query_.after: one such bound has been looked at
  bool has_cut_traces_ = false;  // larger than what is looked at of one
};

}  // namespace vigia::storage::store::rocksdb::events
