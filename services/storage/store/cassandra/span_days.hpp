// Spans on Cassandra by the day under which they lie.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "services/storage/store/cassandra/event_places.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/cassandra/log_walk.hpp"
#include "services/storage/store/span_days.hpp"

namespace vigia::storage::store::cassandra {

/// One day of one customer. Ids of the day's traces are in memory some hundred thousand at a time;
/// where there are more, their list is read several times. Thread contract: one thread.
class SpanDay {
 public:
  /// All must outlive it. `is_listed`: all traces of the day stand in its lists; else those of all
  /// customers and days are looked through.
  SpanDay(vigia::cassandra::Session& session, const EventStatements& statements,
          EventPlaces& places, const CustomerId& customer, std::uint32_t day, bool is_listed);
  /// As SpanDays::read_day; `damaged` is added to.
  Result<bool> read(const EventStore::SpanVisit& visit, const WorkLimit& limit,
                    std::atomic<std::uint64_t>& damaged);

 private:
  enum class Going : std::uint8_t { kOn, kDone, kLimit };
  using TraceId = std::array<char, kTraceIdBytes>;
  /// One of `parts` parts of all ids; in order, each once.
  struct Ids {
    std::uint64_t part = 0;
    std::uint64_t parts = 1;
    std::vector<TraceId> ids = {};
    bool is_over = false;  // there are more than are taken at once
  };

  Result<void> find(Ids& ids);
  Result<void> add_listed(Ids& ids);
  Result<void> add_of_all_days(Ids& ids);
  void add(Ids& ids, std::string_view id) const;
  Result<Going> read_traces(const Ids& ids, const EventStore::SpanVisit& visit,
                            const WorkLimit& limit, std::atomic<std::uint64_t>& damaged);
  Result<Going> read_trace(const TraceId& id, const EventStore::SpanVisit& visit,
                           const WorkLimit& limit, std::atomic<std::uint64_t>& damaged);

  vigia::cassandra::Session& session_;
  const EventStatements& statements_;
  EventPlaces& places_;
  const CustomerId& customer_;
  const std::uint32_t day_;
  const bool is_listed_;
  Origins origins_;
  const WorkLimit* limit_ = nullptr;  // of the read that is under way
};

}  // namespace vigia::storage::store::cassandra
