// MemoryColdStore: its spans and log records.
#include <algorithm>

#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/items.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/storage/store/event_customer.hpp"
#include "services/storage/store/stream_selector.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::store {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

TimestampNs time_of(Signal signal, std::string_view item) {
  using wire::otlp::LogRecordField;
  const auto& time =
      signal == Signal::kTraces ? wire::otlp::SpanField::kStartTime : LogRecordField::kTime;
  TimestampNs time_ns = 0;
  TimestampNs observed_ns = 0;
  for (wire::otlp::FieldReader reader(item); reader.next();) {
    if (reader.tag_and_type() == time.tag) {
      time_ns = reader.fixed64();
    } else if (signal == Signal::kLogs &&
               reader.tag_and_type() == LogRecordField::kObservedTime.tag) {
      observed_ns = reader.fixed64();
    } else {
      reader.skip();
    }
  }
  return time_ns != 0 ? time_ns : observed_ns;
}

std::uint32_t day_of_ns(TimestampNs time_ns) {
  return day_of(static_cast<TimestampMs>(time_ns / kNsPerMs));
}

std::string trace_of(std::string_view span) {
  for (wire::otlp::FieldReader reader(span); reader.next(); reader.skip()) {
    if (reader.tag_and_type() == wire::otlp::SpanField::kTraceId.tag) {
      return std::string(reader.bytes());
    }
  }
  return {};
}

}  // namespace

class MemoryColdStore::MemoryEvents::Reader final : public wire::otlp::Visitor {
 public:
  Reader(const CustomerId& customer, Signal signal) : customer_(customer), signal_(signal) {}
  void on_resource(const wire::otlp::ResourceView& resource) override {
    resource_ = resource.bytes;
    is_own_ = names_customer(resource.bytes, customer_);
  }
  void on_scope(const wire::otlp::ScopeView& scope) override { scope_ = scope.bytes; }
  void on_item(std::uint32_t /*item*/, std::string_view bytes) override {
    const bool is_valid = signal_ == Signal::kTraces ? wire::otlp::is_valid_span(bytes)
                                                     : wire::otlp::is_valid_log_record(bytes);
    if (!is_own_ || !is_valid) {
      ++refused;
      return;
    }
    Item item{time_of(signal_, bytes), 0, resource_, scope_, std::string(bytes)};
    if (signal_ == Signal::kLogs) item.equal = equal_[item]++;
    items.push_back(std::move(item));
  }

  std::vector<Item> items;
  std::uint64_t refused = 0;

 private:
  const CustomerId& customer_;
  Signal signal_;
  std::string resource_;
  std::string scope_;
  bool is_own_ = false;
  std::map<Item, std::uint32_t> equal_;
};

Result<EventCounts> MemoryColdStore::MemoryEvents::write(const CustomerId& customer, Signal signal,
                                                         std::string_view body) {
  Reader reader(customer, signal);
  if (auto walked = wire::otlp::walk(signal, body, reader); !walked) return forward(walked);
  EventCounts counts;
  counts.refused = reader.refused;
  const std::lock_guard lock(mutex_);
  std::vector<Item>& stored = items_[{customer, signal}];
  for (Item& item : reader.items) {
    const bool is_there = std::find(stored.begin(), stored.end(), item) != stored.end();
    ++(is_there ? counts.repeats : counts.stored);
    if (!is_there) stored.push_back(std::move(item));
  }
  return counts;
}

std::vector<MemoryColdStore::MemoryEvents::Item> MemoryColdStore::MemoryEvents::items_of(
    const CustomerId& customer, Signal signal) const {
  const std::lock_guard lock(mutex_);
  const auto at = items_.find({customer, signal});
  std::vector<Item> items = at == items_.end() ? std::vector<Item>() : at->second;
  std::stable_sort(items.begin(), items.end(), [](const Item& left, const Item& right) {
    return left.time_ns < right.time_ns;
  });
  return items;
}

Result<bool> MemoryColdStore::MemoryEvents::read_trace(const CustomerId& customer,
                                                       std::string_view trace_id,
                                                       const SpanVisit& visit,
                                                       const WorkLimit& limit) {
  for (const Item& item : items_of(customer, Signal::kTraces)) {
    if (limit.is_over()) return false;
    if (trace_of(item.bytes) != trace_id) continue;
    if (!visit({item.resource, "", item.scope, "", item.bytes})) return true;
  }
  return true;
}

Result<std::vector<std::uint32_t>> MemoryColdStore::MemoryEvents::days_with_spans(
    const CustomerId& customer) {
  std::set<std::uint32_t> days;
  for (const Item& item : items_of(customer, Signal::kTraces)) days.insert(day_of_ns(item.time_ns));
  return std::vector<std::uint32_t>(days.begin(), days.end());
}

Result<bool> MemoryColdStore::MemoryEvents::read_day(const CustomerId& customer, std::uint32_t day,
                                                     const SpanVisit& visit,
                                                     const WorkLimit& limit) {
  std::vector<Item> items = items_of(customer, Signal::kTraces);
  std::erase_if(items, [&](const Item& item) { return day_of_ns(item.time_ns) != day; });
  std::stable_sort(items.begin(), items.end(), [](const Item& left, const Item& right) {
    return trace_of(left.bytes) < trace_of(right.bytes);
  });
  for (const Item& item : items) {
    if (limit.is_over()) return false;
    if (!visit({item.resource, "", item.scope, "", item.bytes})) return true;
  }
  return true;
}

Result<LogEnd> MemoryColdStore::MemoryEvents::read_logs(const CustomerId& customer,
                                                        const LogQuery& query,
                                                        const LogVisit& visit,
                                                        const WorkLimit& limit) {
  std::vector<Item> items = items_of(customer, Signal::kLogs);
  const bool is_backward = query.direction == LogDirection::kBackward;
  if (is_backward) std::reverse(items.begin(), items.end());
  StreamSelector selector(query.stream);
  LogPlace place;
  std::size_t left = query.records_max;
  bool is_behind = !query.after;
  LogEnd end;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    if (limit.is_over()) return LogEnd{false, end.looked_at};
    if (left == 0) return end;
    place.number = i > 0 && item.time_ns == place.time_ns ? place.number + 1 : 0;
    place.time_ns = item.time_ns;
    if (!is_behind) {
      const bool is_later =
          is_backward ? place.time_ns < query.after->time_ns : place.time_ns > query.after->time_ns;
      is_behind =
          is_later || (place.time_ns == query.after->time_ns && place.number > query.after->number);
    }
    if (!is_behind || item.time_ns < query.from_ns || item.time_ns > query.to_ns) continue;
    end.looked_at = place;
    if (!selector.wants(item.resource)) continue;
    --left;
    if (!visit({place, {item.resource, "", item.scope, "", item.bytes}})) return end;
  }
  return end;
}

Result<std::size_t> MemoryColdStore::MemoryEvents::expire(Signal signal, const ExpiryCuts& cuts) {
  const std::lock_guard lock(mutex_);
  std::set<std::uint32_t> days;
  for (auto& [owner, items] : items_) {
    if (owner.second != signal) continue;
    const TimestampMs before_ms = cuts.of(owner.first);
    std::erase_if(items, [&](const Item& item) {
      const std::uint32_t day = day_of_ns(item.time_ns);
      const bool is_over = (TimestampMs{day} + 1) * kDayMs <= before_ms;
      if (is_over) days.insert(day);
      return is_over;
    });
  }
  return days.size();
}

}  // namespace vigia::storage::store
