#include "services/storage/store/cassandra/events.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <protozero/exception.hpp>

#include "libs/base/check.hpp"
#include "services/storage/store/cassandra/event_writer.hpp"
#include "services/storage/store/cassandra/log_walk.hpp"
#include "services/storage/store/cassandra/series_identity.hpp"
#include "services/storage/store/cassandra/trace_rows.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

}  // namespace

Result<void> CassandraEvents::prepare(Preparation& preparation) {
  if (auto prepared = statements_.prepare(preparation); !prepared) return prepared;
  return places_.prepare(preparation);
}

void CassandraEvents::use_oldest(Signal signal,
                                 std::function<TimestampMs(const CustomerId&)> oldest_ms) {
  oldest_ms_[index_of(signal)] = std::move(oldest_ms);
}

// In microseconds, and never twice: requests come many at a time, and a clock may be set back.
std::int64_t CassandraEvents::next_arrival(TimestampMs now_ms) {
  const std::int64_t now_us = now_ms * 1000;
  std::int64_t last = last_arrival_;
  while (!last_arrival_.compare_exchange_weak(last, std::max(now_us, last + 1))) {
  }
  return std::max(now_us, last + 1);
}

// Everything is looked at before the first item is stored, so that a body that is damaged at its
// end stores nothing.
Result<EventCounts> CassandraEvents::write(const CustomerId& customer, Signal signal,
                                           std::string_view body) {
  CHECK(signal != Signal::kMetrics);
  ItemVerdicts verdicts(customer, signal);
  const auto items = wire::otlp::walk(signal, body, verdicts);
  if (!items) return forward(items);
  if (verdicts.is_too_many()) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("the request holds {} items, {} are taken at once: send it in parts",
                            *items, kRequestItemsMax));
  }
  const TimestampMs now_ms = times_.now_ms ? times_.now_ms() : clock_.wall_ms();
  const auto& oldest_ms = oldest_ms_[index_of(signal)];
  ItemWriter writer({session_, statements_, places_}, customer, signal, verdicts,
                    {now_ms, oldest_ms ? oldest_ms(customer) : 0, next_arrival(now_ms),
                     keeps_.live_seconds(customer, signal)});
  const auto walked = wire::otlp::walk(signal, body, writer);
  const auto finished = walked ? writer.finish() : Result<void>();
  looks_[index_of(signal)].note(customer, writer.first_day());  // also what an error has left
  if (!walked) return forward(walked);
  if (!finished) return forward(finished);
  if (times_.note && writer.newest_ms() > 0) times_.note(customer, writer.newest_ms());
  return EventCounts{writer.stored(), writer.repeats(), verdicts.refused(), writer.expired()};
}

Result<bool> CassandraEvents::read_trace(const CustomerId& customer, std::string_view trace_id,
                                         const SpanVisit& visit, const WorkLimit& limit) {
  const std::uint32_t first_day = kept_day(customer, Signal::kTraces);
  Origins origins(session_, statements_, customer);
  origins.use_limit(&limit);
  std::atomic<std::uint64_t>& damaged = damaged_[index_of(Signal::kTraces)];
  TraceRows rows({session_, statements_, places_, damaged, &limit}, origins, customer,
                 std::string(trace_id), {});
  while (true) {
    if (limit.is_over()) return false;
    const auto row = rows.next(first_day);
    if (!row && limit.is_over()) return false;
    if (!row) return forward(row);
    if (!*row) return true;
    try {
      if (!visit((*row)->event)) return true;
    } catch (const protozero::exception&) {
      ++damaged;
    }
  }
}

Result<LogEnd> CassandraEvents::read_logs(const CustomerId& customer, const LogQuery& query,
                                          const LogVisit& visit, const WorkLimit& limit) {
  if (query.from_ns > query.to_ns) return LogEnd{};
  RecordWalk walk({session_, statements_, places_, customer, &limit}, query,
                  {kept_day(customer, Signal::kLogs), undivided_until_},
                  damaged_[index_of(Signal::kLogs)]);
  return walk.run(visit, limit);
}

Result<std::size_t> CassandraEvents::expire(Signal signal, const ExpiryCuts& cuts) {
  const std::lock_guard lock(expire_mutex_);
  const CutDays days = kept_.held_back(to_string(signal), cuts);
  ExpiryLooks& looks = looks_[index_of(signal)];
  if (!looks.begin(days)) return 0U;
  if (auto raised = kept_.raise(to_string(signal), days); !raised) return forward(raised);
  std::set<std::uint32_t> gone;
  Rows rows(session_, *statements_.list_owners, {}, "");
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) break;
    const std::string customer((*row)->read_text());
    if ((*row)->read_tinyint() != static_cast<std::int8_t>(signal)) continue;
    if (!looks.is_due(customer)) continue;
    auto done = forget_days(customer, signal, days.of(customer), gone);
    if (!done) return forward(done);
  }
  looks.end();
  return gone.size();
}

Result<void> CassandraEvents::forget_days(const std::string& customer, Signal signal,
                                          std::uint32_t day, std::set<std::uint32_t>& gone) {
  const auto signal_column = static_cast<std::int8_t>(signal);
  const auto end = static_cast<std::int32_t>(
      std::min<std::uint64_t>(std::uint64_t{day} * kSlotsOfDay, INT32_MAX));
  BoundCells cells;
  cells.add_text(customer).add_tinyint(signal_column).add_int(0).add_int(end - 1);
  Rows rows(session_, *statements_.list_slots, std::move(cells), customer);
  bool is_any = false;
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) break;
    gone.insert(static_cast<std::uint32_t>((*row)->read_int()) / kSlotsOfDay);
    is_any = true;
  }
  if (!is_any) return {};
  BoundCells key;
  key.add_text(customer).add_tinyint(signal_column).add_int(end);
  auto deleted = ask(session_, *statements_.delete_slots, key, customer);
  if (!deleted) return forward(deleted);
  return {};
}

}  // namespace vigia::storage::store::cassandra
