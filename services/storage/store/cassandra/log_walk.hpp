// One question for log records, walked slot by slot.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/cassandra/record_rows.hpp"
#include "services/storage/store/cassandra/stream_times.hpp"
#include "services/storage/store/stream_selector.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store::cassandra {

/// The resources and scopes of one walk, each read once: a bounded number of them is remembered.
/// Thread contract: one thread.
class Origins {
 public:
  /// All must outlive it.
  Origins(vigia::cassandra::Session& session, const EventStatements& statements,
          const CustomerId& customer)
      : session_(session), statements_(statements), customer_(customer) {}
  /// Whoever waits for what is found; as Rows', and it must outlive it.
  void use_limit(const WorkLimit* limit) { limit_ = limit; }
  /// Stays until make_room. kCorrupt where there is none.
  Result<Origin> find(std::uint32_t day, std::string_view digest);
  /// Forgets all where they have become many.
  void make_room();

 private:
  vigia::cassandra::Session& session_;
  const EventStatements& statements_;
  const CustomerId& customer_;
  const WorkLimit* limit_ = nullptr;
  std::map<std::pair<std::uint32_t, std::string>, std::string> rows_;
  std::size_t bytes_ = 0;
};

/// An item with its resource and its scope; it stays until the next one. Nothing where one of them
/// is not there: the item is damaged.
Result<std::optional<EventView>> event_of(Origins& origins, std::uint32_t day,
                                          std::string_view resource, std::string_view scope,
                                          std::string_view item);

/// Slots from one end of the range to the other. Where a query asks for few of a day's streams only
/// the times are read at which they have records. Thread contract: one thread.
class RecordWalk {
 public:
  /// From when on what is filed is looked for: what lies before `kept_day` is over, and up to
  /// `undivided_until` there may be records in the table that has no parts.
  struct Days {
    std::uint32_t kept;
    std::uint32_t undivided_until;
  };
  /// All must outlive it.
  RecordWalk(const StreamTables& tables, const LogQuery& query, const Days& days,
             std::atomic<std::uint64_t>& damaged);

  Result<LogEnd> run(const EventStore::LogVisit& visit, const WorkLimit& limit);

 private:
  enum class Going : std::uint8_t { kOn, kDone, kLimit };
  struct Walk {
    const EventStore::LogVisit& visit;
    const WorkLimit& limit;
    LogEnd end;
  };
  /// What is known of the day that is walked.
  struct Day {
    std::uint32_t day;
    std::vector<PlacedPart> parts;
    std::unique_ptr<StreamTimes> times;  // null: all records are looked at
  };

  bool narrow();
  Result<void> begin_day(std::uint32_t day, const WorkLimit& limit);
  RecordSlot parts_of(std::int32_t slot) const;
  Result<Going> walk_slot(std::int32_t slot, Walk& walk);
  Result<Going> walk_range(const RecordSlot& slot, Walk& walk);
  Result<Going> walk_times(const RecordSlot& slot, const std::vector<TimestampNs>& times,
                           Walk& walk);
  Result<Going> walk_rows(RecordRows& rows, Walk& walk);
  Result<Going> give_group(Walk& walk);
  Result<Going> give(const StoredRecord& record, const LogPlace& place, Walk& walk);
  bool is_behind(const LogPlace& place) const;

  const StreamTables tables_;
  const LogQuery& query_;
  const Days days_;
  std::atomic<std::uint64_t>& damaged_;
  const bool is_backward_;
  TimestampNs from_ns_ = 0;
  TimestampNs to_ns_ = 0;
  std::optional<Day> day_;
  Origins origins_;
  StreamSelector selector_;
  std::size_t left_;
  std::vector<StoredRecord> group_;  // of one time
  std::size_t group_bytes_ = 0;
  LogPlace next_;  // of the next record of the group's time
};

}  // namespace vigia::storage::store::cassandra
