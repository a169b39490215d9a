#include "services/storage/store/cassandra/log_walk.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <protozero/exception.hpp>

#include "services/storage/store/cassandra/key_id.hpp"
#include "services/storage/store/log_streams.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

constexpr std::size_t kOriginBytes = 8U << 20U;
// Records of one time are put in order together up to this.
constexpr std::size_t kGroupBytes = 8U << 20U;
constexpr TimestampNs kTimeMost = INT64_MAX;

std::int32_t slot_column(TimestampNs time_ns) {
  return static_cast<std::int32_t>(std::min<TimestampNs>(time_ns / kSlotNs, INT32_MAX));
}

}  // namespace

Result<Origin> Origins::find(std::uint32_t day, std::string_view digest) {
  const std::pair<std::uint32_t, std::string> key(day, digest);
  const auto known = rows_.find(key);
  if (known != rows_.end()) return decode_origin(known->second);
  BoundCells cells;
  cells.add_text(customer_.text()).add_int(static_cast<std::int32_t>(day)).add_blob(digest);
  Rows rows(session_, *statements_.read_origin, std::move(cells), customer_.text(), limit_);
  auto row = rows.next();
  if (!row) return forward(row);
  if (!*row) return fail(ErrorCode::kCorrupt, "an item whose resource or scope is not there");
  std::string bytes((*row)->read_blob());
  if (!take_no_key(**row)) {
    return fail(ErrorCode::kCorrupt, "an item whose resource or scope is encrypted");
  }
  bytes_ += bytes.size();
  return decode_origin(rows_.emplace(key, std::move(bytes)).first->second);
}

void Origins::make_room() {
  if (bytes_ < kOriginBytes) return;
  rows_.clear();
  bytes_ = 0;
}

Result<std::optional<EventView>> event_of(Origins& origins, std::uint32_t day,
                                          std::string_view resource, std::string_view scope,
                                          std::string_view item) {
  origins.make_room();
  const auto of = origins.find(day, resource);
  const auto in = of ? origins.find(day, scope) : of;
  if (!in && in.error().code == ErrorCode::kCorrupt) return std::optional<EventView>();
  if (!in) return tl::unexpected<Error>(in.error());
  return std::optional<EventView>({of->bytes, of->schema_url, in->bytes, in->schema_url, item});
}

RecordWalk::RecordWalk(const StreamTables& tables, const LogQuery& query, const Days& days,
                       std::atomic<std::uint64_t>& damaged)
    : tables_(tables),
      query_(query),
      days_(days),
      damaged_(damaged),
      is_backward_(query.direction == LogDirection::kBackward),
      origins_(tables.session, tables.statements, tables.customer),
      selector_(query.stream),
      left_(query.records_max) {
  origins_.use_limit(tables.limit);
}

/// The range, less what lies before the place. The place's own time is read as a whole, so that its
/// records are counted. False: nothing is left.
bool RecordWalk::narrow() {
  from_ns_ = query_.from_ns;
  to_ns_ = std::min(query_.to_ns, kTimeMost);
  if (query_.after && is_backward_) to_ns_ = std::min(to_ns_, query_.after->time_ns);
  if (query_.after && !is_backward_) from_ns_ = std::max(from_ns_, query_.after->time_ns);
  const TimestampNs kept_ns = TimestampNs{days_.kept} * kSlotsOfDay * kSlotNs;
  from_ns_ = std::max(from_ns_, kept_ns);
  return from_ns_ <= to_ns_;
}

Result<LogEnd> RecordWalk::run(const EventStore::LogVisit& visit, const WorkLimit& limit) {
  Walk walk{visit, limit, {}};
  if (left_ == 0 || !narrow()) return walk.end;
  BoundCells cells;
  cells.add_text(tables_.customer.text()).add_tinyint(static_cast<std::int8_t>(Signal::kLogs));
  cells.add_int(slot_column(from_ns_)).add_int(slot_column(to_ns_));
  const EventStatements& statements = tables_.statements;
  Rows slots(tables_.session, is_backward_ ? *statements.list_slots_back : *statements.list_slots,
             std::move(cells), tables_.customer.text(), tables_.limit);
  while (true) {
    // Also where a question was broken off by it.
    const auto ended = [&] { return LogEnd{false, walk.end.looked_at}; };
    if (limit.is_over()) return ended();
    auto slot = slots.next();
    if (!slot && limit.is_over()) return ended();
    if (!slot) return forward(slot);
    if (!*slot) return walk.end;
    const auto going = walk_slot((*slot)->read_int(), walk);
    if (!going && limit.is_over()) return ended();
    if (!going) return forward(going);
    if (*going == Going::kDone) return walk.end;
    if (*going == Going::kLimit) return ended();
  }
}

// What has come into a day since it was begun is read with the next walk.
Result<void> RecordWalk::begin_day(std::uint32_t day, const WorkLimit& limit) {
  if (day_ && day_->day == day) return {};
  const auto first = static_cast<std::int32_t>(day * kSlotsOfDay);
  const std::int32_t last = first + static_cast<std::int32_t>(kSlotsOfDay) - 1;
  auto parts = tables_.places.list(tables_.customer, {PlaceKind::kLogRows, day, "", first}, last,
                                   tables_.limit);
  if (!parts) return forward(parts);
  day_ = Day{day, *std::move(parts), nullptr};
  const bool is_whole = day >= days_.undivided_until;
  if (query_.stream == nullptr || !is_whole || !ask_for_streams(*query_.stream)) return {};
  auto times = std::make_unique<StreamTimes>(tables_, damaged_);
  const auto opened = times->open(*query_.stream, std::max(first, slot_column(from_ns_)),
                                  std::min(last, slot_column(to_ns_)), is_backward_, limit);
  if (!opened) return forward(opened);
  if (*opened) day_->times = std::move(times);
  return {};
}

RecordSlot RecordWalk::parts_of(std::int32_t slot) const {
  RecordSlot parts{slot, {}, day_->day < days_.undivided_until};
  const auto end = day_->parts.end();
  for (auto at = std::lower_bound(day_->parts.begin(), end, PlacedPart{slot, {0}});
       at != end && at->slot == slot; ++at) {
    parts.shards.push_back(at->shard);
  }
  return parts;
}

Result<RecordWalk::Going> RecordWalk::walk_slot(std::int32_t slot, Walk& walk) {
  auto begun = begin_day(static_cast<std::uint32_t>(slot) / kSlotsOfDay, walk.limit);
  if (!begun) return forward(begun);
  const RecordSlot parts = parts_of(slot);
  if (day_->times == nullptr) return walk_range(parts, walk);
  auto times = day_->times->times_of(slot);
  if (!times) return forward(times);
  if (!*times) return walk_range(parts, walk);
  std::erase_if(**times, [&](TimestampNs time) { return time < from_ns_ || time > to_ns_; });
  return walk_times(parts, **times, walk);
}

Result<RecordWalk::Going> RecordWalk::walk_range(const RecordSlot& slot, Walk& walk) {
  RecordRows rows(tables_, is_backward_, damaged_);
  if (auto opened = rows.open(slot, from_ns_, to_ns_); !opened) return forward(opened);
  return walk_rows(rows, walk);
}

Result<RecordWalk::Going> RecordWalk::walk_times(const RecordSlot& slot,
                                                 const std::vector<TimestampNs>& times,
                                                 Walk& walk) {
  RecordRows rows(tables_, is_backward_, damaged_);
  std::span<const TimestampNs> left = times;
  while (!left.empty()) {
    if (walk.limit.is_over()) return Going::kLimit;
    const auto some = left.first(std::min(left.size(), RecordRows::kTimesMax));
    left = left.subspan(some.size());
    if (auto opened = rows.open(slot, some); !opened) return forward(opened);
    const auto going = walk_rows(rows, walk);
    if (!going || *going != Going::kOn) return going;
  }
  return Going::kOn;
}

Result<RecordWalk::Going> RecordWalk::walk_rows(RecordRows& rows, Walk& walk) {
  while (true) {
    if (walk.limit.is_over()) return Going::kLimit;
    auto record = rows.next();
    if (!record) return forward(record);
    if (!*record) return give_group(walk);
    if (!group_.empty() &&
        (group_.front().time_ns != (*record)->time_ns || group_bytes_ > kGroupBytes)) {
      const auto going = give_group(walk);
      if (!going || *going != Going::kOn) return going;
    }
    group_bytes_ += sizeof(StoredRecord) + (*record)->item.size();
    group_.push_back(**std::move(record));
  }
}

/// In the order of arrival; backward: the last one first.
Result<RecordWalk::Going> RecordWalk::give_group(Walk& walk) {
  const std::vector<StoredRecord> group = std::exchange(group_, {});
  group_bytes_ = 0;
  if (group.empty()) return Going::kOn;
  std::vector<const StoredRecord*> sorted;
  for (const StoredRecord& record : group) sorted.push_back(&record);
  std::set<std::pair<std::string_view, std::int32_t>> known;
  std::sort(sorted.begin(), sorted.end(), [](const StoredRecord* left, const StoredRecord* right) {
    return std::tie(left->arrival, left->number, left->digest) <
           std::tie(right->arrival, right->number, right->digest);
  });
  // One that came twice while a part was divided lies in both: the first counts.
  std::erase_if(sorted, [&](const StoredRecord* record) {
    return !known.emplace(record->digest, record->equal).second;
  });
  if (is_backward_) std::reverse(sorted.begin(), sorted.end());
  for (const StoredRecord* const record : sorted) {
    if (walk.limit.is_over()) return Going::kLimit;
    if (record->time_ns != next_.time_ns) next_ = {record->time_ns, 0};
    const LogPlace place = next_;
    ++next_.number;
    if (!is_behind(place)) continue;
    const auto going = give(*record, place, walk);
    if (!going || *going != Going::kOn) return going;
  }
  return Going::kOn;
}

bool RecordWalk::is_behind(const LogPlace& place) const {
  if (!query_.after || place.time_ns != query_.after->time_ns) return true;
  return place.number > query_.after->number;
}

Result<RecordWalk::Going> RecordWalk::give(const StoredRecord& record, const LogPlace& place,
                                           Walk& walk) {
  if (left_ == 0) return Going::kDone;
  const auto event = event_of(origins_, record.day, record.resource, record.scope, record.item);
  if (!event) return forward(event);
  walk.end.looked_at = place;
  if (!*event) {
    ++damaged_;
    return Going::kOn;
  }
  try {
    if (!selector_.wants((*event)->resource)) return Going::kOn;
    --left_;
    return walk.visit({place, **event}) ? Going::kOn : Going::kDone;
  } catch (const protozero::exception&) {
    ++damaged_;
    return Going::kOn;
  }
}

}  // namespace vigia::storage::store::cassandra
