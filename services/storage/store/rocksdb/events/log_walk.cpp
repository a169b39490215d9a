#include "services/storage/store/rocksdb/events/log_walk.hpp"

#include <algorithm>
#include <tuple>

#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/events/event_row.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// Of records of one time, put in the order in which they came; more are given in parts.
constexpr std::size_t kRunBytesMax = 4U << 20U;

}  // namespace

LogWalk::LogWalk(kv::OrderedStore& store, customers::CustomerNumber customer, const LogQuery& query,
                 const EventStore::LogVisit& visit, DamagedItems& damaged)
    : store_(store),
      customer_(customer),
      query_(query),
      visit_(visit),
      damaged_(damaged),
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

Result<LogEnd> LogWalk::run(const std::vector<std::uint32_t>& days, const WorkLimit& limit) {
  if (query_.records_max == 0 || from_ns_ > to_ns_) return LogEnd{};
  for (std::size_t i = 0; i < days.size(); ++i) {
    const auto went = walk_day(days[is_backward() ? days.size() - 1 - i : i], limit);
    if (!went) return forward(went);
    if (*went != Went::kOn) return LogEnd{*went == Went::kEnough, looked_at_};
  }
  const auto ended = give_waiting();
  if (!ended) return forward(ended);
  return LogEnd{true, looked_at_};
}

Result<LogWalk::Went> LogWalk::walk_day(std::uint32_t day, const WorkLimit& limit) {
  const std::string prefix = event_key::prefix(day, customer_);
  std::string from = prefix;
  kv::append_key_u64(from, from_ns_);
  std::string to = prefix;
  kv::append_key_u64(to, to_ns_ + 1);
  if (to_ns_ == UINT64_MAX) to = kv::after_prefix(prefix);
  if (limit.is_over()) return Went::kLimited;
  const auto scan = is_backward() ? store_.scan_back(kv::Family::kLogs, from, to)
                                  : store_.scan(kv::Family::kLogs, from, to);
  while (scan->next()) {
    if (limit.is_over()) return Went::kLimited;
    std::string_view key = scan->key().substr(prefix.size());
    bool ok = true;
    const TimestampNs time_ns = kv::take_key_u64(key, ok);
    if (!ok) break;
    auto went = add(time_ns, scan->value());
    if (!went || *went != Went::kOn) return went;
  }
  if (auto status = scan->status(); !status) return forward(status);
  return Went::kOn;
}

Result<LogWalk::Went> LogWalk::add(TimestampNs time_ns, std::string_view row) {
  if (!rows_.empty() && (time_ns != place_.time_ns || bytes_ > kRunBytesMax)) {
    auto went = give_waiting();
    if (!went || *went != Went::kOn) return went;
  }
  if (time_ns != place_.time_ns) place_ = {time_ns, 0};
  const auto item = is_encoded_item(row) ? decode_item(row) : Result<StoredItem>(StoredItem{});
  if (!item) {
    const auto goes_on = damaged_.left_out(item.error());
    if (!goes_on) return forward(goes_on);
    return Went::kOn;
  }
  // Only what waits: a run must be cut alike wherever a walk begins, or places shift.
  bytes_ += row.size();
  rows_.push_back({item->arrival, item->position, std::string(row)});
  return Went::kOn;
}

Result<LogWalk::Went> LogWalk::give_waiting() {
  // Rows that tell nothing of their arrival keep the order of their keys, backwards too: what comes
  // last here is given first.
  if (is_backward()) std::reverse(rows_.begin(), rows_.end());
  std::stable_sort(rows_.begin(), rows_.end(), [](const WaitingRow& left, const WaitingRow& right) {
    return std::tie(left.arrival, left.position) < std::tie(right.arrival, right.position);
  });
  if (is_backward()) std::reverse(rows_.begin(), rows_.end());
  for (const WaitingRow& row : rows_) {
    auto went = give(row);
    if (!went || *went != Went::kOn) return went;
    looked_at_ = place_;
    ++place_.number;
  }
  rows_.clear();
  bytes_ = 0;
  return Went::kOn;
}

Result<LogWalk::Went> LogWalk::give(const WaitingRow& row) {
  const bool was_given = query_.after && query_.after->time_ns == place_.time_ns &&
                         place_.number <= query_.after->number;
  if (was_given) return Went::kOn;
  const auto event = reader_.read(row.bytes);
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
