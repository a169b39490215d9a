// One question for log records, walked slot by slot.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
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
  /// Stays until make_room. kCorrupt where there is none.
  Result<Origin> find(std::uint32_t day, std::string_view digest);
  /// Forgets all where they have become many.
  void make_room();

 private:
  vigia::cassandra::Session& session_;
  const EventStatements& statements_;
  const CustomerId& customer_;
  std::map<std::pair<std::uint32_t, std::string>, std::string> rows_;
  std::size_t bytes_ = 0;
};

/// An item with its resource and its scope; it stays until the next one. Nothing where one of them
/// is not there: the item is damaged.
Result<std::optional<EventView>> event_of(Origins& origins, std::uint32_t day,
                                          std::string_view resource, std::string_view scope,
                                          std::string_view item);

/// Thread contract: one thread.
class RecordWalk {
 public:
  /// All must outlive it. `kept_day`: what is filed before it is over.
  RecordWalk(vigia::cassandra::Session& session, const EventStatements& statements,
             const CustomerId& customer, const LogQuery& query, std::uint32_t kept_day);

  Result<LogEnd> run(const EventStore::LogVisit& visit, const WorkLimit& limit,
                     std::atomic<std::uint64_t>& damaged);

 private:
  struct Record {
    TimestampNs time_ns = 0;
    std::int64_t arrival = 0;
    std::int32_t number = 0;
    std::string digest;
    std::uint32_t day = 0;
    std::string resource;
    std::string scope;
    std::string item;
  };
  enum class Going : std::uint8_t { kOn, kDone, kLimit };
  struct Walk {
    const EventStore::LogVisit& visit;
    const WorkLimit& limit;
    std::atomic<std::uint64_t>& damaged;
    LogEnd end;
  };

  bool narrow();
  Result<Going> walk_slot(std::int32_t slot, Walk& walk);
  Result<Going> give_group(Walk& walk);
  Result<Going> give(const Record& record, const LogPlace& place, Walk& walk);
  bool is_behind(const LogPlace& place) const;

  vigia::cassandra::Session& session_;
  const EventStatements& statements_;
  const CustomerId& customer_;
  const LogQuery& query_;
  const std::uint32_t kept_day_;
  const bool is_backward_;
  TimestampNs from_ns_ = 0;
  TimestampNs to_ns_ = 0;
  Origins origins_;
  StreamSelector selector_;
  std::size_t left_;
  std::vector<Record> group_;  // of one time
  std::size_t group_bytes_ = 0;
  LogPlace next_;  // of the next record of the group's time
};

}  // namespace vigia::storage::store::cassandra
