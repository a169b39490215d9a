#include "services/storage/keep/event_copy.hpp"

#include "services/storage/keep/event_parts.hpp"
#include "services/storage/keep/while_it_passes.hpp"

namespace vigia::storage::keep {
namespace {

using store::TimestampNs;

constexpr TimestampNs kDayNs = static_cast<TimestampNs>(store::kDayMs) * 1'000'000;
// A request is sent where it passes either of these and the next item has another time, and of one
// time where it passes either of the others, which is less than a store takes at once.
constexpr std::size_t kBatchBytes = 4U << 20U;
constexpr std::size_t kBatchItems = 10'000;
constexpr std::size_t kBytesMax = 64U << 20U;
constexpr std::size_t kItemsMax = 90'000;

class Sender {
 public:
  Sender(store::EventStore& to, const CustomerId& customer, Signal signal)
      : to_(to), customer_(customer), signal_(signal) {}

  // False after an error.
  bool add(const store::EventView& event, TimestampNs time_ns) {
    const bool is_full = parts_.bytes() >= kBatchBytes || parts_.items() >= kBatchItems;
    const bool is_over = parts_.bytes() >= kBytesMax || parts_.items() >= kItemsMax;
    if (is_over || (is_full && time_ns != time_ns_)) send();
    parts_.add(event);
    time_ns_ = time_ns;
    return sent_.has_value();
  }
  Result<CopyCounts> finish() {
    if (sent_ && parts_.items() > 0) send();
    if (!sent_) return forward(sent_);
    return counts_;
  }

 private:
  void send() {
    const std::string body = parts_.take();
    const auto counts = while_it_passes("spans and log records",
                                        [&] { return to_.write(customer_, signal_, body); });
    if (!counts) {
      sent_ = forward(counts);
      return;
    }
    (signal_ == Signal::kTraces ? counts_.spans : counts_.records) += counts->stored;
    counts_.repeats += counts->repeats;
    counts_.refused += counts->refused + counts->expired;
  }

  store::EventStore& to_;
  const CustomerId& customer_;
  const Signal signal_;
  EventParts parts_;
  TimestampNs time_ns_ = 0;
  CopyCounts counts_;
  Result<void> sent_;
};

class HeldClock {
 public:
  HeldClock(CopyClock& clock, std::uint32_t day) : clock_(clock) { clock_.hold_at(day); }
  ~HeldClock() { clock_.let_go(); }
  HeldClock(const HeldClock&) = delete;
  HeldClock& operator=(const HeldClock&) = delete;

 private:
  CopyClock& clock_;
};

}  // namespace

Result<void> each_record_of(store::EventStore& events, const CustomerId& customer,
                            std::uint32_t day, const store::EventStore::LogVisit& visit) {
  const store::WorkLimit unlimited;
  store::LogQuery query{TimestampNs{day} * kDayNs, (TimestampNs{day} + 1) * kDayNs - 1};
  bool goes_on = true;
  const auto watched = [&](const store::LogRecordView& record) {
    goes_on = visit(record);
    return goes_on;
  };
  for (;;) {
    const auto end = events.read_logs(customer, query, watched, unlimited);
    if (!end) return forward(end);
    if (end->is_whole || !goes_on) return {};
    if (!end->looked_at || end->looked_at == query.after) {
      return fail(ErrorCode::kInternal, "the walk over log records does not go on");
    }
    query.after = end->looked_at;
  }
}

Result<std::optional<std::uint32_t>> next_day_with_records(store::EventStore& events,
                                                           const CustomerId& customer,
                                                           std::uint32_t day) {
  const store::WorkLimit unlimited;
  std::optional<std::uint32_t> found;
  store::LogQuery query{TimestampNs{day} * kDayNs, UINT64_MAX};
  query.records_max = 1;
  const auto note = [&](const store::LogRecordView& record) {
    found = static_cast<std::uint32_t>(record.place.time_ns / kDayNs);
    return false;
  };
  for (;;) {
    const auto end = events.read_logs(customer, query, note, unlimited);
    if (!end) return forward(end);
    if (found || end->is_whole) return found;
    if (!end->looked_at || end->looked_at == query.after) {
      return fail(ErrorCode::kInternal, "the walk over log records does not go on");
    }
    query.after = end->looked_at;
  }
}

Result<CopyCounts> EventCopy::copy_spans(const CustomerId& customer, std::uint32_t day) {
  const HeldClock held(clock_, day);
  return while_it_passes("spans", [&]() -> Result<CopyCounts> {
    const std::uint64_t damaged = from_.events().damaged_items(Signal::kTraces);
    Sender sender(to_.events(), customer, Signal::kTraces);
    TimestampNs place = 0;  // spans of one time may be parted
    const auto add = [&](const store::EventView& span) { return sender.add(span, ++place); };
    const auto read = from_.span_days()->read_day(customer, day, add, unlimited_);
    if (!read) return forward(read);
    auto counts = sender.finish();
    if (counts) counts->damaged = from_.events().damaged_items(Signal::kTraces) - damaged;
    return counts;
  });
}

Result<CopyCounts> EventCopy::copy_records(const CustomerId& customer, std::uint32_t day) {
  const HeldClock held(clock_, day);
  return while_it_passes("log records", [&]() -> Result<CopyCounts> {
    const std::uint64_t damaged = from_.events().damaged_items(Signal::kLogs);
    Sender sender(to_.events(), customer, Signal::kLogs);
    const auto add = [&](const store::LogRecordView& record) {
      return sender.add(record.event, record.place.time_ns);
    };
    if (auto read = each_record_of(from_.events(), customer, day, add); !read) return forward(read);
    auto counts = sender.finish();
    if (counts) counts->damaged = from_.events().damaged_items(Signal::kLogs) - damaged;
    return counts;
  });
}

Result<CopyCounts> EventCopy::count_spans(const CustomerId& customer, std::uint32_t day) {
  return while_it_passes("spans", [&]() -> Result<CopyCounts> {
    CopyCounts counts;
    const auto count = [&](const store::EventView&) { return ++counts.old_events != 0; };
    const auto read = from_.span_days()->read_day(customer, day, count, unlimited_);
    if (!read) return forward(read);
    return counts;
  });
}

Result<CopyCounts> EventCopy::count_records(const CustomerId& customer, std::uint32_t day) {
  return while_it_passes("log records", [&]() -> Result<CopyCounts> {
    CopyCounts counts;
    const auto count = [&](const store::LogRecordView&) { return ++counts.old_events != 0; };
    auto read = each_record_of(from_.events(), customer, day, count);
    if (!read) return forward(read);
    return counts;
  });
}

}  // namespace vigia::storage::keep
