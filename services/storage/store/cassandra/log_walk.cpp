#include "services/storage/store/cassandra/log_walk.hpp"

#include <algorithm>
#include <tuple>

#include <protozero/exception.hpp>

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

constexpr std::size_t kOriginBytes = 8U << 20U;
// Records of one time are put in order together up to this.
constexpr std::size_t kGroupBytes = 8U << 20U;
constexpr TimestampNs kTimeMost = INT64_MAX;

}  // namespace

Result<Origin> Origins::find(std::uint32_t day, std::string_view digest) {
  const std::pair<std::uint32_t, std::string> key(day, digest);
  const auto known = rows_.find(key);
  if (known != rows_.end()) return decode_origin(known->second);
  BoundCells cells;
  cells.add_text(customer_.text()).add_int(static_cast<std::int32_t>(day)).add_blob(digest);
  auto page = ask(session_, *statements_.read_origin, cells, customer_.text());
  if (!page) return forward(page);
  if (page->rows() == 0) {
    return fail(ErrorCode::kCorrupt, "an item whose resource or scope is not there");
  }
  RowReader row = page->row(0);
  std::string bytes(row.read_blob());
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

RecordWalk::RecordWalk(vigia::cassandra::Session& session, const EventStatements& statements,
                       const CustomerId& customer, const LogQuery& query, std::uint32_t kept_day)
    : session_(session),
      statements_(statements),
      customer_(customer),
      query_(query),
      kept_day_(kept_day),
      is_backward_(query.direction == LogDirection::kBackward),
      origins_(session, statements, customer),
      selector_(query.stream),
      left_(query.records_max) {}

/// The range, less what lies before the place. The place's own time is read as a whole, so that its
/// records are counted. False: nothing is left.
bool RecordWalk::narrow() {
  from_ns_ = query_.from_ns;
  to_ns_ = std::min(query_.to_ns, kTimeMost);
  if (query_.after && is_backward_) to_ns_ = std::min(to_ns_, query_.after->time_ns);
  if (query_.after && !is_backward_) from_ns_ = std::max(from_ns_, query_.after->time_ns);
  const TimestampNs kept_ns = TimestampNs{kept_day_} * kSlotsOfDay * kSlotNs;
  from_ns_ = std::max(from_ns_, kept_ns);
  return from_ns_ <= to_ns_;
}

Result<LogEnd> RecordWalk::run(const EventStore::LogVisit& visit, const WorkLimit& limit,
                               std::atomic<std::uint64_t>& damaged) {
  Walk walk{visit, limit, damaged, {}};
  if (left_ == 0 || !narrow()) return walk.end;
  BoundCells cells;
  cells.add_text(customer_.text()).add_tinyint(static_cast<std::int8_t>(Signal::kLogs));
  cells.add_int(static_cast<std::int32_t>(std::min<TimestampNs>(from_ns_ / kSlotNs, INT32_MAX)));
  cells.add_int(static_cast<std::int32_t>(std::min<TimestampNs>(to_ns_ / kSlotNs, INT32_MAX)));
  Rows slots(session_, is_backward_ ? *statements_.list_slots_back : *statements_.list_slots,
             std::move(cells), customer_.text());
  while (true) {
    if (limit.is_over()) return LogEnd{false, walk.end.looked_at};
    auto slot = slots.next();
    if (!slot) return forward(slot);
    if (!*slot) return walk.end;
    const auto going = walk_slot((*slot)->read_int(), walk);
    if (!going) return forward(going);
    if (*going == Going::kDone) return walk.end;
    if (*going == Going::kLimit) return LogEnd{false, walk.end.looked_at};
  }
}

Result<RecordWalk::Going> RecordWalk::walk_slot(std::int32_t slot, Walk& walk) {
  BoundCells cells;
  cells.add_text(customer_.text()).add_int(slot);
  cells.add_bigint(static_cast<std::int64_t>(from_ns_));
  cells.add_bigint(static_cast<std::int64_t>(to_ns_));
  Rows rows(session_, is_backward_ ? *statements_.read_records_back : *statements_.read_records,
            std::move(cells), customer_.text());
  while (true) {
    if (walk.limit.is_over()) return Going::kLimit;
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return give_group(walk);
    Record record;
    record.time_ns = static_cast<TimestampNs>((*row)->read_bigint());
    record.arrival = (*row)->read_bigint();
    record.number = (*row)->read_int();
    record.digest = (*row)->read_blob();
    record.day = static_cast<std::uint32_t>((*row)->read_int());
    record.resource = (*row)->read_blob();
    record.scope = (*row)->read_blob();
    record.item = (*row)->read_blob();
    if (!(*row)->ok()) {
      ++walk.damaged;
      continue;
    }
    if (!group_.empty() &&
        (group_.front().time_ns != record.time_ns || group_bytes_ > kGroupBytes)) {
      const auto going = give_group(walk);
      if (!going || *going != Going::kOn) return going;
    }
    group_bytes_ += sizeof(record) + record.item.size();
    group_.push_back(std::move(record));
  }
}

/// In the order of arrival; backward: the last one first.
Result<RecordWalk::Going> RecordWalk::give_group(Walk& walk) {
  const std::vector<Record> group = std::exchange(group_, {});
  group_bytes_ = 0;
  if (group.empty()) return Going::kOn;
  std::vector<const Record*> sorted;
  for (const Record& record : group) sorted.push_back(&record);
  std::sort(sorted.begin(), sorted.end(), [](const Record* left, const Record* right) {
    return std::tie(left->arrival, left->number, left->digest) <
           std::tie(right->arrival, right->number, right->digest);
  });
  if (is_backward_) std::reverse(sorted.begin(), sorted.end());
  for (const Record* const record : sorted) {
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

Result<RecordWalk::Going> RecordWalk::give(const Record& record, const LogPlace& place,
                                           Walk& walk) {
  if (left_ == 0) return Going::kDone;
  walk.end.looked_at = place;
  const auto event = event_of(origins_, record.day, record.resource, record.scope, record.item);
  if (!event) return forward(event);
  if (!*event) {
    ++walk.damaged;
    return Going::kOn;
  }
  try {
    if (!selector_.wants((*event)->resource)) return Going::kOn;
    --left_;
    return walk.visit({place, **event}) ? Going::kOn : Going::kDone;
  } catch (const protozero::exception&) {
    ++walk.damaged;
    return Going::kOn;
  }
}

}  // namespace vigia::storage::store::cassandra
