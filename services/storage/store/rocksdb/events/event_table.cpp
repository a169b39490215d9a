#include "services/storage/store/rocksdb/events/event_table.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <protozero/exception.hpp>

#include "libs/base/check.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/events/event_reader.hpp"
#include "services/storage/store/rocksdb/events/event_writer.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// Of records of one time, put in the order in which they came; more are given in parts.
constexpr std::size_t kRunBytesMax = 4U << 20U;

// One bad row is one row: it is left out, counted, and the first is told of.
class DamagedItems {
 public:
  explicit DamagedItems(std::atomic<std::uint64_t>& count) : count_(count) {}

  /// True, to go on, where it is damage.
  Result<bool> left_out(const Error& error) {
    if (error.code != ErrorCode::kCorrupt) return tl::unexpected<Error>(error);
    if (count_++ == 0) {
      service::log_error(
          "a span or log record cannot be read and is left out (further ones are only counted)",
          {{"why", error.message}});
    }
    return true;
  }
  template <typename Visit>
  Result<bool> visited(Visit&& visit) {
    try {
      return visit();
    } catch (const protozero::exception& damage) {
      return left_out({ErrorCode::kCorrupt, damage.what()});
    }
  }

 private:
  std::atomic<std::uint64_t>& count_;
};

// Log records of one time lie by their hash; this gives them by their arrival.
class EqualTimes {
 public:
  EqualTimes(kv::OrderedStore& store, customers::CustomerNumber customer,
             const EventTable::LogVisit& visit, DamagedItems& damaged)
      : reader_(store, kv::Family::kLogs, customer), visit_(visit), damaged_(damaged) {}

  /// False once the visitor has had enough.
  Result<bool> add(TimestampNs time_ns, std::string_view row) {
    Result<bool> goes_on = true;
    if (!rows_.empty() && (time_ns != time_ns_ || bytes_ > kRunBytesMax)) goes_on = end();
    if (!goes_on || !*goes_on) return goes_on;
    time_ns_ = time_ns;
    bytes_ += row.size();
    const auto item = is_encoded_item(row) ? decode_item(row) : Result<StoredItem>(StoredItem{});
    if (!item) return damaged_.left_out(item.error());
    rows_.push_back({item->received_ms, item->position, std::string(row)});
    return true;
  }
  Result<bool> end() {
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& left, const Row& right) {
      return std::tie(left.received_ms, left.position) <
             std::tie(right.received_ms, right.position);
    });
    for (const Row& row : rows_) {
      const auto event = reader_.read(row.bytes);
      const auto goes_on = event ? damaged_.visited([&] { return visit_(time_ns_, *event); })
                                 : damaged_.left_out(event.error());
      if (!goes_on || !*goes_on) return goes_on;
    }
    rows_.clear();
    bytes_ = 0;
    return true;
  }

 private:
  struct Row {
    std::uint64_t received_ms;
    std::uint32_t position;
    std::string bytes;
  };
  EventReader reader_;
  const EventTable::LogVisit& visit_;
  DamagedItems& damaged_;
  TimestampNs time_ns_ = 0;
  std::vector<Row> rows_;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<EventTable>> EventTable::open(kv::OrderedStore& store, const Clock& clock,
                                                     Signal signal) {
  auto events = std::make_unique<EventTable>(Key{}, store, clock, signal);
  if (auto loaded = events->days_.load(); !loaded) return forward(loaded);
  return events;
}

EventTable::EventTable(Key /*key*/, kv::OrderedStore& store, const Clock& clock, Signal signal)
    : store_(store),
      clock_(clock),
      signal_(signal),
      family_(signal == Signal::kTraces ? kv::Family::kSpans : kv::Family::kLogs),
      days_(store, family_, event_key::origin_copies(family_)) {
  CHECK(signal != Signal::kMetrics);
}

// Everything is looked at before the first item is stored, so that a body that is damaged at its
// end stores nothing.
Result<EventCounts> EventTable::write(const CustomerId& customer, customers::CustomerNumber number,
                                      std::string_view body) {
  const EventTarget target{store_, days_, signal_, family_, customer, number};
  EventVerdicts verdicts(target);
  const auto items = wire::otlp::walk(signal_, body, verdicts);
  if (!items) return forward(items);
  if (verdicts.is_too_many()) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("the request holds {} items, {} are taken at once: send it in parts",
                            *items, kRequestItemsMax));
  }
  const TimestampMs now_ms = times_ == nullptr ? clock_.wall_ms() : times_->latest_ms(clock_);
  EventWriter writer(target, verdicts, {now_ms, oldest_ms_()});
  if (auto walked = wire::otlp::walk(signal_, body, writer); !walked) return forward(walked);
  if (auto finished = writer.finish(); !finished) return forward(finished);
  if (times_ != nullptr && writer.newest_ms() > 0) {
    times_->note_claimed(number, writer.newest_ms(), clock_);
  }
  // A repeat may be of a request that is still being written: its rows are durable once ours are.
  if (auto synced = store_.sync(); !synced) return forward(synced);
  return EventCounts{writer.stored(), writer.repeats(), verdicts.refused(), writer.expired()};
}

Result<bool> EventTable::read_trace(customers::CustomerNumber customer, std::string_view trace_id,
                                    const Visit& visit, const WorkLimit& limit) {
  CHECK(trace_id.size() == kTraceIdBytes && signal_ == Signal::kTraces);
  EventReader reader(store_, family_, customer);
  DamagedItems damaged(damaged_items_);
  // A trace's day is not in its id: each day that has any is asked, by a prefix that a filter
  // answers where there is nothing.
  for (const std::uint32_t day : days_.between(0, UINT32_MAX)) {
    std::string prefix = event_key::prefix(day, customer);
    prefix += trace_id;
    if (limit.is_over()) return false;
    const auto scan = store_.scan(family_, prefix, kv::after_prefix(prefix));
    while (scan->next()) {
      if (limit.is_over()) return false;
      const auto event = reader.read(scan->value());
      const auto goes_on =
          event ? damaged.visited([&] { return visit(*event); }) : damaged.left_out(event.error());
      if (!goes_on) return forward(goes_on);
      if (!*goes_on) return true;
    }
    if (auto status = scan->status(); !status) return forward(status);
  }
  return true;
}

Result<bool> EventTable::read_logs(customers::CustomerNumber customer, TimestampNs from_ns,
                                   TimestampNs to_ns, const LogVisit& visit,
                                   const WorkLimit& limit) {
  CHECK(signal_ == Signal::kLogs);
  const auto first_day = event_key::day_of_ns(from_ns);
  const auto last_day = event_key::day_of_ns(to_ns);
  DamagedItems damaged(damaged_items_);
  EqualTimes run(store_, customer, visit, damaged);
  for (const std::uint32_t day : days_.between(first_day, last_day)) {
    const std::string prefix = event_key::prefix(day, customer);
    std::string from = prefix;
    kv::append_key_u64(from, from_ns);
    if (limit.is_over()) return false;
    const auto scan = store_.scan(family_, from, kv::after_prefix(prefix));
    while (scan->next()) {
      if (limit.is_over()) return false;
      std::string_view key = scan->key().substr(prefix.size());
      bool ok = true;
      const TimestampNs time_ns = kv::take_key_u64(key, ok);
      if (!ok || time_ns > to_ns) break;
      const auto goes_on = run.add(time_ns, scan->value());
      if (!goes_on) return forward(goes_on);
      if (!*goes_on) return true;
    }
    if (auto status = scan->status(); !status) return forward(status);
  }
  const auto ended = run.end();
  if (!ended) return forward(ended);
  return true;
}

}  // namespace vigia::storage::store::rocksdb::events
