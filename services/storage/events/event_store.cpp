#include "services/storage/events/event_store.hpp"

#include <algorithm>
#include <map>

#include <protozero/exception.hpp>
#include <xxhash.h>

#include "libs/base/check.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/items.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/storage/kv/key.hpp"

namespace vigia::storage {
namespace {

constexpr std::size_t kTraceIdBytes = 16;
constexpr std::uint64_t kNsPerMs = 1'000'000;
// What claims to be later is filed under today: it would else outlive every retention.
constexpr TimestampMs kAheadMax = kDayMs;
// How long after the first a repeat of what is filed by its arrival is known as one.
constexpr std::uint32_t kRepeatDays = 32;
constexpr std::size_t kDayBytes = sizeof(std::uint32_t);
constexpr std::size_t kTimeAt = kDayBytes + sizeof(std::uint32_t);  // behind day and customer

void append_hash(std::string& key, std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  append_key_u64(key, hash.high64);
  append_key_u64(key, hash.low64);
}

bool names_customer(std::string_view resource, const CustomerId& customer) {
  bool is_named = false;
  wire::otlp::for_each_attribute({resource, 1}, [&](const wire::otlp::KeyValueView& attribute) {
    if (attribute.key == "customer.id") {
      is_named = wire::otlp::string_value(attribute.value) == customer.text();
    }
  });
  return is_named;
}

TimestampNs start_of(std::uint32_t day) {
  return static_cast<TimestampNs>(day) * static_cast<TimestampNs>(kDayMs) * kNsPerMs;
}

// The key that an item filed by its arrival has where it arrived on another day.
std::string key_on(std::uint32_t day, Signal signal, std::string_view key) {
  std::string moved = day_key(day);
  if (signal == Signal::kTraces) return moved.append(key.substr(kDayBytes));
  moved += key.substr(kDayBytes, kTimeAt - kDayBytes);
  append_key_u64(moved, start_of(day));
  return moved.append(key.substr(kTimeAt + sizeof(TimestampNs)));
}

struct EventRow {
  std::string value;
  bool is_unsteady;  // a repeat on another day may have another key
};

// Makes the rows of one request.
class RowMaker final : public wire::otlp::Visitor {
 public:
  RowMaker(const CustomerId& customer, CustomerNumber number, Signal signal, TimestampMs now_ms)
      : customer_(customer), number_(number), signal_(signal), now_ms_(now_ms) {}

  void on_resource(const wire::otlp::ResourceView& resource) override {
    event_ = {};
    event_.resource = resource.bytes;
    event_.resource_schema_url = resource.schema_url;
    is_good_resource_ =
        wire::otlp::is_valid_resource(resource.bytes) && names_customer(resource.bytes, customer_);
  }
  void on_scope(const wire::otlp::ScopeView& scope) override {
    event_.scope = scope.bytes;
    event_.scope_schema_url = scope.schema_url;
    is_good_scope_ = wire::otlp::is_valid_scope(scope.bytes);
  }
  void on_item(std::uint32_t /*item*/, std::string_view bytes) override {
    event_.item = bytes;
    const bool is_span = signal_ == Signal::kTraces;
    const bool is_good =
        is_good_resource_ && is_good_scope_ &&
        (is_span ? wire::otlp::is_valid_span(bytes) : wire::otlp::is_valid_log_record(bytes));
    if (!is_good) {
      ++refused_;
      return;
    }
    is_span ? add_span() : add_log_record();
  }

  std::map<std::string, EventRow>& rows() { return rows_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t doubled() const { return doubled_; }

 private:
  // Without a time, and far ahead, a day's first moment: then the same record again that day has
  // the same key. On another day EventStore looks for it.
  TimestampNs filing_time(TimestampNs time_ns) const {
    const auto time_ms = static_cast<TimestampMs>(time_ns / kNsPerMs);
    if (time_ns != 0 && time_ms <= now_ms_ + kAheadMax) return time_ns;
    return static_cast<TimestampNs>(now_ms_ / kDayMs * kDayMs) * kNsPerMs;
  }
  bool is_unsteady(TimestampNs time_ns) const {
    return time_ns == 0 || static_cast<TimestampMs>(time_ns / kNsPerMs) > now_ms_;
  }
  std::string key_start(TimestampNs time_ns) const {
    std::string key = day_key(day_of(static_cast<TimestampMs>(time_ns / kNsPerMs)));
    append_key_u32(key, number_.value);
    return key;
  }

  // trace, span, hash: two versions of a span are both kept.
  void add_span() {
    const SpanKeyParts parts = span_key_parts(event_.item);
    std::string key = key_start(filing_time(parts.start_ns));
    key += parts.trace_id;
    key += parts.span_id;
    std::string value = encode_event(event_);
    append_hash(key, value);
    EventRow row{std::move(value), is_unsteady(parts.start_ns)};
    if (!rows_.emplace(std::move(key), std::move(row)).second) ++doubled_;
  }

  // time, hash, which of several equal ones in the request.
  void add_log_record() {
    const TimestampNs own_time_ns = log_record_time(event_.item);
    const TimestampNs time_ns = filing_time(own_time_ns);
    std::string key = key_start(time_ns);
    append_key_u64(key, time_ns);
    std::string value = encode_event(event_);
    append_hash(key, value);
    append_key_u32(key, equal_[key]++);
    rows_.emplace(std::move(key), EventRow{std::move(value), is_unsteady(own_time_ns)});
  }

  const CustomerId& customer_;
  CustomerNumber number_;
  Signal signal_;
  TimestampMs now_ms_;
  EventView event_;
  bool is_good_resource_ = false;
  bool is_good_scope_ = false;
  std::map<std::string, EventRow> rows_;
  std::map<std::string, std::uint32_t> equal_;
  std::uint64_t refused_ = 0;
  std::uint64_t doubled_ = 0;
};

}  // namespace

Result<std::unique_ptr<EventStore>> EventStore::open(OrderedStore& store, const Clock& clock,
                                                     Signal signal) {
  auto events = std::make_unique<EventStore>(Key{}, store, clock, signal);
  if (auto loaded = events->days_.load(); !loaded) return forward(loaded);
  return events;
}

EventStore::EventStore(Key /*key*/, OrderedStore& store, const Clock& clock, Signal signal)
    : store_(store),
      clock_(clock),
      signal_(signal),
      family_(signal == Signal::kTraces ? Family::kSpans : Family::kLogs),
      days_(store, family_) {
  CHECK(signal != Signal::kMetrics);
}

Result<EventCounts> EventStore::write(const CustomerId& customer, CustomerNumber number,
                                      std::string_view body) {
  const TimestampMs now_ms = clock_.wall_ms();
  RowMaker maker(customer, number, signal_, now_ms);
  if (auto walked = wire::otlp::walk(signal_, body, maker); !walked) return forward(walked);
  EventCounts counts{0, maker.doubled(), maker.refused()};
  std::vector<KeyValue> writes;
  for (auto& [key, row] : maker.rows()) {
    auto is_known = is_stored(key);
    if (is_known && !*is_known && row.is_unsteady) {
      is_known = is_stored_on_another_day(key, day_of(now_ms));
    }
    if (!is_known) return tl::unexpected<Error>(is_known.error());
    if (*is_known) {
      ++counts.repeats;
      continue;
    }
    std::string_view rest = key;
    bool ok = true;
    days_.note(take_key_u32(rest, ok));
    writes.push_back({family_, key, std::move(row.value)});
  }
  counts.stored = writes.size();
  // A repeat may be of a request that is still being written: its rows are durable once ours are.
  auto put = writes.empty() ? store_.sync() : store_.put(writes, Durability::kNow);
  if (!put) return forward(put);
  return counts;
}

Result<bool> EventStore::is_stored(std::string_view key) const {
  const auto value = store_.get(family_, key);
  if (!value) return tl::unexpected<Error>(value.error());
  return value->has_value();
}

Result<bool> EventStore::is_stored_on_another_day(std::string_view key, std::uint32_t today) const {
  for (const std::uint32_t day : days_.between(today - std::min(today, kRepeatDays), today)) {
    const auto is_known = is_stored(key_on(day, signal_, key));
    if (!is_known || *is_known) return is_known;
  }
  return false;
}

Result<void> EventStore::read_trace(CustomerNumber customer, std::string_view trace_id,
                                    const Visit& visit) {
  CHECK(trace_id.size() == kTraceIdBytes && signal_ == Signal::kTraces);
  for (const std::uint32_t day : days_.between(0, UINT32_MAX)) {
    std::string prefix = day_key(day);
    append_key_u32(prefix, customer.value);
    prefix += trace_id;
    const auto scan = store_.scan(family_, prefix, after_prefix(prefix));
    while (scan->next()) {
      const auto event = decode_event(scan->value());
      if (!event) return tl::unexpected<Error>(event.error());
      if (!visit(*event)) return {};
    }
    if (auto status = scan->status(); !status) return status;
  }
  return {};
}

Result<void> EventStore::read_logs(
    CustomerNumber customer, TimestampNs from_ns, TimestampNs to_ns,
    const std::function<bool(TimestampNs, const EventView&)>& visit) {
  CHECK(signal_ == Signal::kLogs);
  const auto first_day = day_of(static_cast<TimestampMs>(from_ns / kNsPerMs));
  const auto last_day = day_of(static_cast<TimestampMs>(to_ns / kNsPerMs));
  for (const std::uint32_t day : days_.between(first_day, last_day)) {
    std::string prefix = day_key(day);
    append_key_u32(prefix, customer.value);
    std::string from = prefix;
    append_key_u64(from, from_ns);
    const auto scan = store_.scan(family_, from, after_prefix(prefix));
    while (scan->next()) {
      std::string_view key = scan->key().substr(prefix.size());
      bool ok = true;
      const TimestampNs time_ns = take_key_u64(key, ok);
      if (!ok || time_ns > to_ns) break;
      const auto event = decode_event(scan->value());
      if (!event) return tl::unexpected<Error>(event.error());
      if (!visit(time_ns, *event)) return {};
    }
    if (auto status = scan->status(); !status) return status;
  }
  return {};
}

}  // namespace vigia::storage
