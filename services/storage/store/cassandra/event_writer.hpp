// Writes the items of one request, a bounded batch at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/cassandra/log_times_writer.hpp"
#include "services/storage/store/cassandra/span_block_writer.hpp"

namespace vigia::storage::store::cassandra {

struct RequestTimes {
  TimestampMs now_ms = 0;
  TimestampMs oldest_ms = 0;      ///< what is older is not kept
  std::int64_t arrival = 0;       ///< of the request: that of a later one is larger
  std::int32_t live_seconds = 0;  ///< of each row; 0: for ever
};

/// Where it writes.
struct EventTables {
  vigia::cassandra::Session& session;
  const EventStatements& statements;
  EventPlaces& places;
};

/// Thread contract: one thread. REQUIRES: what it walks was walked by ItemVerdicts without an
/// error.
class ItemWriter final : public wire::otlp::Visitor {
 public:
  /// All must outlive it.
  ItemWriter(const EventTables& tables, const CustomerId& customer, Signal signal,
             const ItemVerdicts& verdicts, const RequestTimes& times);
  void on_resource(const wire::otlp::ResourceView& resource) override;
  void on_scope(const wire::otlp::ScopeView& scope) override;
  void on_item(std::uint32_t item, std::string_view bytes) override;

  /// Writes what is left. On an error some of the items are stored: the same request again is
  /// right.
  Result<void> finish();
  std::uint64_t stored() const { return stored_; }
  /// Of those that were there already, and were written again.
  std::uint64_t repeats() const { return repeats_; }
  std::uint64_t expired() const { return expired_; }
  /// The first day of what was stored, or may have been; UINT32_MAX: none.
  std::uint32_t first_day() const {
    return slots_.empty() ? UINT32_MAX : *slots_.begin() / kSlotsOfDay;
  }
  /// The latest time that an item names, however far ahead; 0: none does.
  TimestampMs newest_ms() const { return newest_ms_; }

 private:
  struct Item {
    TimestampNs time_ns = 0;
    std::uint32_t day = 0;
    std::string_view trace_id;
    std::string digest;
    std::int32_t equal = 0;
    std::int64_t arrival = 0;
    std::int32_t number = 0;
    std::string resource;
    std::string scope;
    std::string service;                      // of a span, as key
    std::shared_ptr<const StreamKey> stream;  // of a log record
    Shard shard;
    std::string_view bytes;  // in the request's body
  };
  /// A row where an item may lie.
  struct Row {
    std::size_t item;  // of the batch
    Shard shard;
  };
  using SomeRows = std::span<const Row>;
  static constexpr Shard kWholeShard{1};  // what is not divided lies there
  static std::int32_t log_slot_of(TimestampNs time_ns) {
    return static_cast<std::int32_t>(time_ns / kSlotNs);
  }
  void hash_origins();
  TimestampNs filing_time(TimestampNs time_ns) const;
  void add_origin(std::uint32_t day, const std::string& digest, const std::string& row);
  void add_slot(const Item& item);
  Result<void> flush();
  Result<std::size_t> find_stored();
  void note_found(SomeRows asked, vigia::cassandra::RowReader row, std::set<std::size_t>& found);
  std::vector<Row> rows_to_find() const;
  void write_items();
  void place_items();
  EventPlace place_of(const Item& item) const;
  void index_items();
  // Of rows of one partition; event_rows.cpp.
  void sort_by_partition(std::vector<Row>& rows) const;
  bool is_beside(const Row& left, const Row& right) const;
  SomeRows first_together(SomeRows rows) const;
  const ItemStatements& table_of(const Row& row) const;
  void add_partition(vigia::cassandra::BoundCells& cells, const Row& row) const;
  void add_key(vigia::cassandra::BoundCells& cells, const Row& row) const;
  void add_values(vigia::cassandra::BoundCells& cells, const Row& row) const;
  SomeRows send_find(SomeRows rows);
  SomeRows send_write(SomeRows rows);

  const EventStatements& statements_;
  const CustomerId& customer_;
  const Signal signal_;
  const ItemVerdicts& verdicts_;
  const RequestTimes times_;
  Requests requests_;
  EventPlaces& places_;
  SpanBlockWriter span_index_;
  LogTimesWriter log_index_;
  Origin resource_view_;
  Origin scope_view_;
  bool is_new_origin_ = true;  // not hashed yet: what has no items costs nothing
  std::string resource_row_;
  std::string scope_row_;
  std::string resource_;  // digests
  std::string scope_;
  std::string service_;
  std::shared_ptr<const StreamKey> stream_;
  std::set<std::pair<std::uint32_t, std::string>> origins_;  // written by this request
  std::set<std::uint32_t> slots_;
  std::vector<std::uint64_t> noted_;                     // rows that lead to parts
  std::unordered_map<std::string, std::int32_t> equal_;  // log records, by time and digest
  std::set<std::string> spans_;                          // of the batch, by start and digest
  std::vector<Item> batch_;
  std::size_t bytes_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint64_t expired_ = 0;
  TimestampMs newest_ms_ = 0;
  std::optional<Error> failure_;
};

}  // namespace vigia::storage::store::cassandra
