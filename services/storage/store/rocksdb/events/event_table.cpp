#include "services/storage/store/rocksdb/events/event_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"
#include "services/storage/store/rocksdb/events/damaged_items.hpp"
#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/events/event_reader.hpp"
#include "services/storage/store/rocksdb/events/event_writer.hpp"
#include "services/storage/store/rocksdb/events/late_index.hpp"
#include "services/storage/store/rocksdb/events/log_walk.hpp"
#include "services/storage/store/rocksdb/events/span_names.hpp"
#include "services/storage/store/rocksdb/events/span_search.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// The year 9999: what a row says beyond is no time, and numbers above it must not run out.
constexpr std::uint64_t kArrivalMax = 253'402'300'800'000;

enum class WalkEnd : std::uint8_t { kNoMore, kEnough, kLimit };

struct ItemPlaces {
  kv::OrderedStore& store;
  kv::Family family;
  std::string prefix;
};

// Each item whose key begins so.
Result<WalkEnd> walk_items(const ItemPlaces& places, EventReader& reader, DamagedItems& damaged,
                           const EventTable::Visit& visit, const WorkLimit& limit) {
  if (limit.is_over()) return WalkEnd::kLimit;
  const auto scan =
      places.store.scan(places.family, places.prefix, kv::after_prefix(places.prefix));
  while (scan->next()) {
    if (limit.is_over()) return WalkEnd::kLimit;
    const auto event = reader.read(scan->value());
    const auto goes_on =
        event ? damaged.visited([&] { return visit(*event); }) : damaged.left_out(event.error());
    if (!goes_on) return forward(goes_on);
    if (!*goes_on) return WalkEnd::kEnough;
  }
  if (auto status = scan->status(); !status) return forward(status);
  return WalkEnd::kNoMore;
}

}  // namespace

Result<std::unique_ptr<EventTable>> EventTable::open(kv::OrderedStore& store, const Clock& clock,
                                                     Signal signal) {
  auto events = std::make_unique<EventTable>(Key{}, store, clock, signal);
  if (auto loaded = events->days_.load(); !loaded) return forward(loaded);
  if (auto loaded = events->load_last_arrival(); !loaded) return forward(loaded);
  if (auto loaded = events->indexed_.load(); !loaded) return forward(loaded);
  return events;
}

// A row that is lost costs the order of what came in a time that the clock shows twice, no more.
Result<void> EventTable::load_last_arrival() {
  if (signal_ != Signal::kLogs) return {};
  const auto row = store_.get(kv::Family::kIndex, event_key::kLogArrival);
  if (!row) return forward(row);
  if (!row->has_value()) return {};
  ByteReader reader(**row);
  const std::uint64_t arrival = reader.read_u64();
  if (reader.ok() && arrival < kArrivalMax) arrivals_.begin_behind(arrival);
  return {};
}

EventTable::EventTable(Key /*key*/, kv::OrderedStore& store, const Clock& clock, Signal signal)
    : store_(store),
      clock_(clock),
      signal_(signal),
      family_(signal == Signal::kTraces ? kv::Family::kSpans : kv::Family::kLogs),
      days_(store, family_, event_key::origin_copies(family_)),
      indexed_(store, days_, clock, signal),
      searches_(clock),
      arrivals_(clock) {
  CHECK(signal != Signal::kMetrics);
}

// Everything is looked at before the first item is stored, so that a body that is damaged at its
// end stores nothing.
Result<EventCounts> EventTable::write(const CustomerId& customer, customers::CustomerNumber number,
                                      std::string_view body) {
  if (auto looked = indexed_.look_at_times(); !looked) return forward(looked);
  const EventTarget target{store_, days_, signal_, family_, customer, number, names_, origins_};
  EventVerdicts verdicts(target);
  const auto items = wire::otlp::walk(signal_, body, verdicts);
  if (!items) return forward(items);
  if (verdicts.is_too_many()) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("the request holds {} items, {} are taken at once: send it in parts",
                            *items, kRequestItemsMax));
  }
  const TimestampMs now_ms = times_ == nullptr ? clock_.wall_ms() : times_->latest_ms(clock_);
  ArrivalBook::Arrival arrival = arrivals_.open(customer, now_ms);
  EventWriter writer(target, verdicts, {now_ms, oldest_ms_(customer), arrival.number()});
  const auto walked = wire::otlp::walk(signal_, body, writer);
  const auto finished = walked ? writer.finish() : Result<void>();
  arrival.note(writer.filed());  // also what an error has left
  if (!walked) return forward(walked);
  if (!finished) return forward(finished);
  if (times_ != nullptr && writer.newest_ms() > 0) {
    times_->note_claimed(number, writer.newest_ms(), clock_);
  }
  // A repeat may be of a request that is still being written: its rows are durable once ours are.
  if (auto synced = store_.sync(); !synced) return forward(synced);
  return EventCounts{writer.stored(), writer.repeats(), verdicts.refused(), writer.expired()};
}

// What comes for such a day once more has to have its names and origins written again.
Result<std::size_t> EventTable::expire(const kv::DayCuts& cuts) {
  const auto days = days_.expire(cuts, 0);
  if (!days || *days > 0) {
    names_.forget();
    origins_.forget();
  }
  return days;
}

Result<bool> EventTable::read_trace(customers::CustomerNumber customer, std::string_view trace_id,
                                    const Visit& visit, const WorkLimit& limit) {
  CHECK(trace_id.size() == kTraceIdBytes && signal_ == Signal::kTraces);
  EventReader reader(store_, family_, customer);
  DamagedItems damaged(damaged_items_);
  // A trace's day is not in its id: each day that has any is asked, by a prefix that a filter
  // answers where there is nothing.
  for (const std::uint32_t day : days()) {
    std::string prefix = event_key::prefix(day, customer);
    prefix += trace_id;
    const auto end = walk_items({store_, family_, prefix}, reader, damaged, visit, limit);
    if (!end) return forward(end);
    if (*end != WalkEnd::kNoMore) return *end == WalkEnd::kEnough;
  }
  return true;
}

Result<bool> EventTable::read_day(customers::CustomerNumber customer, std::uint32_t day,
                                  const Visit& visit, const WorkLimit& limit) {
  CHECK(signal_ == Signal::kTraces);
  EventReader reader(store_, family_, customer);
  DamagedItems damaged(damaged_items_);
  const auto end = walk_items({store_, family_, event_key::prefix(day, customer)}, reader, damaged,
                              visit, limit);
  if (!end) return forward(end);
  return *end != WalkEnd::kLimit;
}

Result<TraceEnd> EventTable::find_traces(customers::CustomerNumber customer,
                                         const TraceQuery& query,
                                         const EventStore::TraceVisit& visit,
                                         const WorkLimit& limit) {
  CHECK(signal_ == Signal::kTraces);
  if (auto looked = indexed_.look(); !looked) return forward(looked);
  DamagedItems damaged(damaged_items_);
  LateIndex late(store_, customer, indexed_.epoch(), names_, damaged);
  SpanSearch search(store_, customer, query, visit, damaged);
  const std::uint64_t question = question_of(query);
  if (query.after) search.recall(searches_.take(customer, question));
  auto end = search.run(
      days_.between(event_key::day_of_ns(query.from_ns), event_key::day_of_ns(query.to_ns)),
      [this](std::uint32_t day) { return !indexed_.is_indexed(day); }, late, limit);
  if (end) searches_.keep(customer, question, search.take_latest());
  return end;
}

Result<std::vector<std::uint32_t>> EventTable::indexed_between(customers::CustomerNumber customer,
                                                               TimestampNs from_ns,
                                                               TimestampNs to_ns,
                                                               const WorkLimit& limit) {
  CHECK(signal_ == Signal::kTraces);
  if (auto looked = indexed_.look(); !looked) return forward(looked);
  DamagedItems damaged(damaged_items_);
  LateIndex late(store_, customer, indexed_.epoch(), names_, damaged);
  auto days = days_.between(event_key::day_of_ns(from_ns), event_key::day_of_ns(to_ns));
  for (const std::uint32_t day : days) {
    if (indexed_.is_indexed(day)) continue;
    const auto made = late.make(day, limit);
    if (!made) return forward(made);
    if (auto over = *made ? Result<void>() : limit.check(); !over) return forward(over);
  }
  return days;
}

Result<TextPage> EventTable::services(customers::CustomerNumber customer, const ServiceQuery& query,
                                      const WorkLimit& limit) {
  const auto days = indexed_between(customer, query.from_ns, query.to_ns, limit);
  if (!days) return forward(days);
  return SpanNames(store_, customer, *days, limit).services(query);
}

Result<OperationPage> EventTable::operations(customers::CustomerNumber customer,
                                             std::string_view service, const OperationQuery& query,
                                             const WorkLimit& limit) {
  const auto days = indexed_between(customer, query.from_ns, query.to_ns, limit);
  if (!days) return forward(days);
  return SpanNames(store_, customer, *days, limit).operations(service, query);
}

Result<LogEnd> EventTable::read_logs(customers::CustomerNumber customer, const LogQuery& query,
                                     const LogVisit& visit, const WorkLimit& limit) {
  CHECK(signal_ == Signal::kLogs);
  if (query.from_ns > query.to_ns) return LogEnd{};
  const auto has_index = indexed_.look();
  if (!has_index) return forward(has_index);
  DamagedItems damaged(damaged_items_);
  return LogWalk(store_, customer, query, visit, damaged)
      .run(
          days_.between(event_key::day_of_ns(query.from_ns), event_key::day_of_ns(query.to_ns)),
          [&](std::uint32_t day) { return *has_index && indexed_.is_indexed(day); }, limit);
}

}  // namespace vigia::storage::store::rocksdb::events
