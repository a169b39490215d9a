// Writes the items of one request, a bounded batch at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/events/known_origins.hpp"
#include "services/storage/store/rocksdb/events/log_indexer.hpp"
#include "services/storage/store/rocksdb/events/span_indexer.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/time_spans.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Whose spans or log records, and where they go. What it refers to outlives its users.
struct EventTarget {
  kv::OrderedStore& store;
  kv::DaySet& days;
  Signal signal;
  kv::Family family;
  const CustomerId& customer_id;
  customers::CustomerNumber customer;
  KnownNames& names;
  KnownOrigins& origins;
};

/// Which items of a request may be stored: found out for all before the first is stored.
class EventVerdicts final : public wire::otlp::Visitor {
 public:
  explicit EventVerdicts(const EventTarget& target) : target_(target) {}
  void on_resource(const wire::otlp::ResourceView& resource) override;
  void on_scope(const wire::otlp::ScopeView& scope) override;
  void on_item(std::uint32_t item, std::string_view bytes) override;

  /// Past what a request may hold: the verdicts are not complete.
  bool is_too_many() const { return is_too_many_; }
  bool is_good(std::uint32_t item) const { return is_good_[item]; }
  std::uint64_t refused() const { return refused_; }

 private:
  const EventTarget& target_;
  bool is_good_resource_ = false;
  bool is_good_scope_ = false;
  bool is_too_many_ = false;
  std::vector<bool> is_good_;
  std::uint64_t refused_ = 0;
};

/// A request holds at most so many items. The collector sends a tenth of it at once; the bound
/// keeps what a request may cost in time and memory.
inline constexpr std::uint32_t kRequestItemsMax = 100'000;

struct EventTimes {
  TimestampMs now_ms = 0;
  TimestampMs oldest_ms = 0;  ///< what is older is not kept
  std::uint64_t arrival = 0;  ///< of the request: that of a later one is larger (event_row.hpp)
};

/// Thread contract: one thread. REQUIRES: what it walks was walked by EventVerdicts without an
/// error, and stays until `finish`.
class EventWriter final : public wire::otlp::Visitor {
 public:
  /// Both must outlive it.
  EventWriter(const EventTarget& target, const EventVerdicts& verdicts, const EventTimes& times);
  void on_resource(const wire::otlp::ResourceView& resource) override;
  void on_scope(const wire::otlp::ScopeView& scope) override;
  void on_item(std::uint32_t item, std::string_view bytes) override;

  /// Writes what is left. Everything is durable at the next sync of the store. On an error some of
  /// the items are stored: the same request again is right.
  Result<void> finish();
  std::uint64_t stored() const { return stored_; }
  std::uint64_t repeats() const { return repeats_; }
  std::uint64_t expired() const { return expired_; }
  /// Of log records: the times under which they are filed.
  const TimeSpans& filed() const { return filed_; }
  /// The latest time that an item names, however far ahead; 0: none does.
  TimestampMs newest_ms() const { return newest_ms_; }

 private:
  struct Row {
    std::string key;
    std::string value;
    TimestampNs own_ns;                        // the time that the item names
    std::shared_ptr<const OriginTags> origin;  // of a span
    std::shared_ptr<const StreamTag> stream;   // of a log record
  };
  struct Origin {
    OriginView view;
    std::size_t encoded_bytes = 0;
    OriginHash hash;
  };
  struct HashOfItem {
    std::size_t operator()(const OriginHash& hash) const { return hash.low; }
  };
  /// Of the rows and then the origins of a batch.
  struct Stored {
    std::vector<bool> rows;
    std::vector<bool> origins;
    std::uint64_t origins_known = 0;  // generation
  };

  void hash_origins();
  TimestampNs filing_time(TimestampNs time_ns);
  bool is_unsteady(TimestampNs time_ns) const;
  bool is_expired(TimestampNs time_ns);
  void add_span(std::uint32_t item, std::string_view bytes);
  void add_log_record(std::uint32_t item, std::string_view bytes);
  void add_row(std::string key, TimestampNs own_ns, std::uint32_t item, std::string_view bytes);
  void set_origin(Origin& origin, const OriginView& view);
  void add_origin(std::uint32_t day, const Origin& origin);
  void sort_rows();
  void tag_origin();
  void count_index(std::uint32_t day);
  void index_rows(const std::vector<bool>& is_stored, SpanIndexer& spans, LogIndexer& logs) const;
  std::vector<kv::KeyValue> take_new(const Stored& stored);
  Result<void> flush();
  Result<void> put_new(const Stored& stored);
  /// Keys under which a repeat may lie that came on another day, and whose they are.
  struct Moved {
    std::vector<std::string> keys;
    std::vector<std::size_t> rows;
  };
  Moved moved_keys() const;
  Result<Stored> find_stored() const;

  const EventTarget& target_;
  const EventVerdicts& verdicts_;
  TimestampMs now_ms_;
  TimestampMs oldest_ms_;
  std::uint64_t arrival_;
  std::uint32_t today_;
  event_key::ItemHasher hasher_;
  OriginView resource_view_;
  OriginView scope_view_;
  bool is_new_resource_ = true;  // not hashed yet: what has no items costs nothing
  bool is_new_scope_ = true;
  Origin resource_;
  Origin scope_;
  std::shared_ptr<const OriginTags> tags_;                        // of both, of spans
  std::shared_ptr<const StreamTag> stream_;                       // of the resource, of log records
  std::set<std::pair<std::uint32_t, OriginHash>> known_origins_;  // added by this request
  std::uint32_t origins_day_ = UINT32_MAX;  // on which the two of now are among them
  std::uint32_t indexed_day_ = UINT32_MAX;  // the same of rows of the index
  std::unordered_map<OriginHash, std::uint32_t, HashOfItem> equal_;  // log records, by their hash
  // The batch.
  std::vector<Row> rows_;
  std::vector<OriginPlace> origins_;
  std::vector<OriginView> origin_views_;  // one of each
  std::string scratch_;
  std::size_t bytes_ = 0;

  std::uint64_t stored_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint64_t expired_ = 0;
  TimestampMs newest_ms_ = 0;
  TimeSpans filed_;
  std::optional<Error> failure_;
};

}  // namespace vigia::storage::store::rocksdb::events
