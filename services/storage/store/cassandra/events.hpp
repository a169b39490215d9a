// Spans and log records on Cassandra.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/block_search.hpp"
#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/cassandra/event_places.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/cassandra/kept_from.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/span_days.hpp"

namespace vigia::storage::store::cassandra {

/// As EventStore. An item of more than kItemBytesMax is refused. A request that is written twice at
/// once by two instances is there once; which arrival its records have is then either's.
class CassandraEvents final : public EventStore, public SpanDays {
 public:
  /// All must outlive it.
  CassandraEvents(vigia::cassandra::Session& session, KeptDays& kept, const KeepTimes& keeps,
                  const Clock& clock, std::size_t part_bytes)
      : session_(session),
        kept_(kept),
        keeps_(keeps),
        clock_(clock),
        places_(session, clock, part_bytes) {}
  /// REQUIRED before anything else.
  Result<void> prepare(Preparation& preparation);
  /// Before the first read: the first day of which all spans are indexed; of those before, some are
  /// found by their traces' ids alone. Else all are.
  void use_indexed_from(std::uint32_t day) { indexed_from_ = day; }
  /// Likewise the first day of which no log records lie in the table that has no parts.
  void use_undivided_until(std::uint32_t day) { undivided_until_ = day; }
  /// Other than those of the type in tests.
  void use_search_bounds(const TraceSearchBounds& bounds) { search_bounds_ = bounds; }
  /// Before the first write. What time it is, by which items are filed: else the wall clock's. Told
  /// of the newest time of each request.
  struct Times {
    std::function<TimestampMs()> now_ms;
    std::function<void(const CustomerId&, TimestampMs)> note;
  };
  void use_times(Times times) { times_ = std::move(times); }
  /// Before the first write: before which time items of the signal are taken and not stored.
  void use_oldest(Signal signal, std::function<TimestampMs(const CustomerId&)> oldest_ms);

  Result<EventCounts> write(const CustomerId& customer, Signal signal,
                            std::string_view body) override;
  Result<bool> read_trace(const CustomerId& customer, std::string_view trace_id,
                          const SpanVisit& visit, const WorkLimit& limit) override;
  Result<LogEnd> read_logs(const CustomerId& customer, const LogQuery& query, const LogVisit& visit,
                           const WorkLimit& limit) override;
  Result<TraceEnd> find_traces(const CustomerId& customer, const TraceQuery& query,
                               const TraceVisit& visit, const WorkLimit& limit) override;
  Result<TextPage> services(const CustomerId& customer, const ServiceQuery& query,
                            const WorkLimit& limit) override;
  Result<OperationPage> operations(const CustomerId& customer, std::string_view service,
                                   const OperationQuery& query, const WorkLimit& limit) override;
  Result<std::vector<std::uint32_t>> days_with_spans(const CustomerId& customer) override;
  Result<bool> read_day(const CustomerId& customer, std::uint32_t day, const SpanVisit& visit,
                        const WorkLimit& limit) override;
  /// Days are not read any more when it returns; their rows end with their time to live.
  Result<std::size_t> expire(Signal signal, const ExpiryCuts& cuts) override;
  bool is_writable() const override { return true; }
  /// 0: what the nodes need only they know (nodetool tablestats).
  std::uint64_t disk_bytes(Signal /*signal*/) const override { return 0; }
  std::uint64_t damaged_items(Signal signal) const override { return damaged_[index_of(signal)]; }

 private:
  static std::size_t index_of(Signal signal) { return signal == Signal::kTraces ? 0 : 1; }
  std::int64_t next_arrival(TimestampMs now_ms);
  Result<std::vector<std::uint32_t>> days_between(const CustomerId& customer, TimestampNs from_ns,
                                                  TimestampNs to_ns, const WorkLimit* limit);
  std::uint32_t kept_day(const CustomerId& customer, Signal signal) {
    return kept_.day(customer, to_string(signal));
  }
  Result<void> forget_days(const std::string& customer, Signal signal, std::uint32_t day,
                           std::set<std::uint32_t>& gone);

  vigia::cassandra::Session& session_;
  KeptDays& kept_;
  const KeepTimes& keeps_;
  const Clock& clock_;
  EventStatements statements_;
  EventPlaces places_;
  std::uint32_t indexed_from_ = 0;
  std::uint32_t undivided_until_ = 0;
  TraceSearchBounds search_bounds_;
  Times times_;
  std::array<std::function<TimestampMs(const CustomerId&)>, 2> oldest_ms_;
  std::atomic<std::int64_t> last_arrival_{0};
  std::array<std::atomic<std::uint64_t>, 2> damaged_{};
  std::mutex expire_mutex_;
  std::array<ExpiryLooks, 2> looks_;
};

}  // namespace vigia::storage::store::cassandra
