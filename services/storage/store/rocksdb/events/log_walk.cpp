#include "services/storage/store/rocksdb/events/log_walk.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "services/storage/store/log_streams.hpp"
#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/events/event_row.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// Of records of one time, put in the order in which they came; more are given in parts.
constexpr std::size_t kRunBytesMax = 4U << 20U;

}  // namespace

LogWalk::LogWalk(kv::OrderedStore& store, customers::CustomerNumber customer, const LogQuery& query,
                 const EventStore::LogVisit& visit, DamagedItems& damaged, const LogBounds& bounds)
    : store_(store),
      customer_(customer),
      query_(query),
      visit_(visit),
      damaged_(damaged),
      bounds_(bounds),
      reader_(store, kv::Family::kLogs, customer),
      selector_(query.stream),
      from_ns_(query.from_ns),
      to_ns_(query.to_ns) {
  if (!query.after) return;
  // All of the place's own time is walked again: its records are told apart by their number alone.
  TimestampNs& bound = is_backward() ? to_ns_ : from_ns_;
  bound =
      is_backward() ? std::min(bound, query.after->time_ns) : std::max(bound, query.after->time_ns);
}

Result<LogEnd> LogWalk::run(const std::vector<std::uint32_t>& days, const IsIndexed& is_indexed,
                            const WorkLimit& limit) {
  if (query_.records_max == 0 || from_ns_ > to_ns_) return LogEnd{};
  for (std::size_t i = 0; i < days.size(); ++i) {
    const std::uint32_t day = days[is_backward() ? days.size() - 1 - i : i];
    auto went = walk_day(day, is_indexed(day), limit);
    if (went && *went == Went::kOn) went = end_day(day);
    if (!went) return forward(went);
    if (*went != Went::kOn) return LogEnd{*went == Went::kEnough, looked_at_};
  }
  return LogEnd{true, looked_at_};
}

// No time is of two days.
Result<LogWalk::Went> LogWalk::end_day(std::uint32_t day) {
  auto went = give_waiting();
  if (!went || *went != Went::kOn) return went;
  const TimestampNs passed_ns = is_backward() ? std::max(from_ns_, event_key::first_of(day))
                                              : std::min(to_ns_, event_key::last_of(day));
  note_looked_at({passed_ns, UINT64_MAX});
  return went;
}

Result<LogWalk::Went> LogWalk::walk_day(std::uint32_t day, bool is_indexed,
                                        const WorkLimit& limit) {
  if (limit.is_over()) return Went::kLimited;
  const LogDay of{day, from_ns_, to_ns_, is_backward()};
  if (is_indexed && query_.stream != nullptr && ask_for_streams(*query_.stream)) {
    auto codes = codes_of(store_, customer_, day, *query_.stream, limit);
    if (!codes) return forward(codes);
    if (*codes) {
      LogBuckets buckets(store_, customer_, of, std::move(**codes));
      return walk_buckets(buckets, of, limit);
    }
  }
  LogRows rows(store_, customer_, of);
  return walk_times(rows, from_ns_, to_ns_, limit);
}

Result<LogWalk::Went> LogWalk::walk_buckets(LogBuckets& buckets, const LogDay& of,
                                            const WorkLimit& limit) {
  const TimestampNs first_ns = std::max(from_ns_, event_key::first_of(of.day));
  const TimestampNs last_ns = std::min(to_ns_, event_key::last_of(of.day));
  LogRows rows(store_, customer_, of);
  for (;;) {
    const auto moved = buckets.next(damaged_, limit);
    if (!moved) return forward(moved);
    if (limit.is_over()) return Went::kLimited;
    if (!*moved) return Went::kOn;
    auto went = walk_bucket(buckets, rows, of, limit);
    if (!went || *went != Went::kOn) return went;
    went = give_waiting();
    if (!went || *went != Went::kOn) return went;
    // Of a stream with few records a search that the limit ends goes on behind what it has passed.
    const TimestampNs passed_ns =
        is_backward()
            ? std::max(first_ns, log_block::slot_begin(buckets.bucket(), 0))
            : std::min(last_ns, log_block::slot_last(buckets.bucket(), log_block::kSlots - 1));
    note_looked_at({passed_ns, UINT64_MAX});
  }
}

Result<LogWalk::Went> LogWalk::walk_bucket(const LogBuckets& buckets, LogRows& rows,
                                           const LogDay& of, const WorkLimit& limit) {
  auto runs = buckets.slots().runs();
  if (is_backward()) std::reverse(runs.begin(), runs.end());
  for (const log_block::SlotSet::Run& run : runs) {
    const TimestampNs from_ns =
        std::max(of.from_ns, log_block::slot_begin(buckets.bucket(), run.first));
    const TimestampNs to_ns = std::min(of.to_ns, log_block::slot_last(buckets.bucket(), run.last));
    auto went = walk_times(rows, from_ns, to_ns, limit);
    if (!went || *went != Went::kOn) return went;
  }
  return Went::kOn;
}

// Both included.
Result<LogWalk::Went> LogWalk::walk_times(LogRows& rows, TimestampNs from_ns, TimestampNs to_ns,
                                          const WorkLimit& limit) {
  if (from_ns > to_ns) return Went::kOn;
  bool has_row = rows.move_to(is_backward() ? to_ns : from_ns);
  for (; has_row && rows.time_ns() >= from_ns && rows.time_ns() <= to_ns; has_row = rows.next()) {
    if (is_over(limit) || is_far_enough()) return Went::kLimited;
    ++rows_seen_;
    bytes_seen_ += rows.value().size();
    auto went = add(rows.time_ns(), rows.value());
    if (!went || *went != Went::kOn) return went;
  }
  if (has_row) return Went::kOn;
  if (auto status = rows.status(); !status) return forward(status);
  return Went::kOn;
}

// Past a bound, and past the time where the page before ended: however many records have that time,
// each page comes further.
bool LogWalk::is_far_enough() const {
  if (rows_seen_ < bounds_.rows && bytes_seen_ < bounds_.bytes) return false;
  return looked_at_ && (!query_.after || looked_at_->time_ns != query_.after->time_ns);
}

// Records of one time are given once all of them are there, or some MiB: a walk whose time is over
// before that, or before it has come to where the page before ended, would never come further.
// So what it has begun to read it goes through, while anybody waits for it.
bool LogWalk::is_over(const WorkLimit& limit) const {
  if (!limit.is_over()) return false;
  return limit.is_client_gone() || rows_seen_ == 0 || looked_at_;
}

Result<LogWalk::Went> LogWalk::add(TimestampNs time_ns, std::string_view row) {
  if (waiting_ > 0 && (time_ns != place_.time_ns || bytes_ > kRunBytesMax)) {
    auto went = give_waiting();
    if (!went || *went != Went::kOn) return went;
  }
  if (time_ns != place_.time_ns) place_ = {time_ns, 0};
  const bool is_whole = !is_encoded_item(row);
  const auto item = is_whole ? Result<StoredItem>(StoredItem{}) : decode_item(row);
  if (!item) {
    const auto goes_on = damaged_.left_out(item.error());
    if (!goes_on) return forward(goes_on);
    return Went::kOn;
  }
  // Only what waits: a run must be cut alike wherever a walk begins, or places shift.
  bytes_ += row.size();
  WaitingRow& waiting = waiting_row();
  waiting.head = *item;
  waiting.item_at = row.size() - item->item.size();
  waiting.is_whole = is_whole;
  waiting.bytes.assign(row);
  return Went::kOn;
}

// Most times have one row: its memory is used again for the next one, unless it is much.
LogWalk::WaitingRow& LogWalk::waiting_row() {
  constexpr std::size_t kKeptBytes = 64U << 10U;
  if (waiting_ == rows_.size()) rows_.emplace_back();
  WaitingRow& row = rows_[waiting_++];
  if (row.bytes.capacity() > kKeptBytes) row.bytes = {};
  return row;
}

// Never back: what lies before query_.after is walked again where it is of that place's time, or
// where a bucket of the index reaches into the day before.
void LogWalk::note_looked_at(const LogPlace& place) {
  if (query_.after) {
    const LogPlace& after = *query_.after;
    const bool is_same = place.time_ns == after.time_ns;
    const bool is_later =
        is_backward() ? place.time_ns < after.time_ns : place.time_ns > after.time_ns;
    if (is_same ? place.number <= after.number : !is_later) return;
  }
  looked_at_ = place;
}

// Rows that tell nothing of their arrival keep the order of their keys, backwards too: what comes
// last here is given first.
void LogWalk::sort_waiting() {
  const auto rows = waiting();
  if (rows.size() < 2) return;
  if (is_backward()) std::reverse(rows.begin(), rows.end());
  std::stable_sort(rows.begin(), rows.end(), [](const WaitingRow& left, const WaitingRow& right) {
    return std::tie(left.head.arrival, left.head.position) <
           std::tie(right.head.arrival, right.head.position);
  });
  if (is_backward()) std::reverse(rows.begin(), rows.end());
}

Result<LogWalk::Went> LogWalk::give_waiting() {
  sort_waiting();
  for (const WaitingRow& row : waiting()) {
    auto went = give(row);
    if (!went || *went != Went::kOn) return went;
    note_looked_at(place_);
    ++place_.number;
  }
  constexpr std::size_t kKeptRows = 64;
  if (rows_.size() > kKeptRows) rows_.resize(kKeptRows);
  waiting_ = 0;
  bytes_ = 0;
  return Went::kOn;
}

// Of what an earlier program wrote nobody knows when it came: long ago, with the number 0.
bool LogWalk::has_come_then(std::uint64_t arrival) const {
  const auto& asked = query_.arrived;
  if (!asked) return true;
  return (asked->after == 0 || arrival > asked->after) && arrival <= asked->upto;
}

Result<EventView> LogWalk::event_of(const WaitingRow& row) {
  if (row.is_whole) return reader_.read(row.bytes);
  StoredItem item = row.head;
  item.item = std::string_view(row.bytes).substr(row.item_at);
  return reader_.read(item);
}

Result<LogWalk::Went> LogWalk::give(const WaitingRow& row) {
  const bool was_given = query_.after && query_.after->time_ns == place_.time_ns &&
                         place_.number <= query_.after->number;
  if (was_given || !has_come_then(row.head.arrival)) return Went::kOn;
  const auto event = event_of(row);
  const auto goes_on = event ? damaged_.visited([&] {
    if (!selector_.wants(event->resource)) return true;
    ++given_;
    return visit_({place_, *event});
  })
                             : damaged_.left_out(event.error());
  if (!goes_on) return forward(goes_on);
  return *goes_on && given_ < query_.records_max ? Went::kOn : Went::kEnough;
}

}  // namespace vigia::storage::store::rocksdb::events
