#include "services/storage/store/cassandra/stream_times.hpp"

#include <algorithm>

#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/cassandra/log_times_writer.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

// Of more streams at once all records are looked at: each has its rows, a page at a time.
constexpr std::size_t kStreamsAtOnce = 64;
// So many streams of a day are looked through for those that are wanted.
constexpr std::size_t kStreamsLookedAt = 500'000;
constexpr std::size_t kTimesAtOnce = 100'000;

}  // namespace

Result<bool> StreamTimes::open(const LabelMatchers& matchers, std::int32_t first, std::int32_t last,
                               bool is_backward, const WorkLimit& limit) {
  is_backward_ = is_backward;
  cursors_.clear();
  const auto found = find(matchers, static_cast<std::uint32_t>(first) / kSlotsOfDay, limit);
  if (!found) return forward(found);
  const std::size_t wanted = found->wanted.size();
  // Of most streams it is less work to look at all records.
  if (!found->is_listed || wanted > kStreamsAtOnce || 2 * wanted > found->streams) return false;
  for (const std::string& digest : found->wanted) {
    if (auto opened = open_stream(digest, first, last); !opened) return forward(opened);
  }
  return true;
}

Result<StreamTimes::Found> StreamTimes::find(const LabelMatchers& matchers, std::uint32_t day,
                                             const WorkLimit& limit) {
  Found found;
  const auto parts =
      tables_.places.list(tables_.customer, {PlaceKind::kLogStreams, day}, 0, tables_.limit);
  if (!parts) return forward(parts);
  for (const PlacedPart& part : *parts) {
    if (part.shard == kUnlisted) found.is_listed = false;
  }
  for (const PlacedPart& part : *parts) {
    if (!found.is_listed) break;
    auto added = add_part(matchers, day, part.shard, limit, found);
    if (!added) return forward(added);
  }
  return found;
}

// A part may have a stream that another has: from before it was divided.
Result<void> StreamTimes::add_part(const LabelMatchers& matchers, std::uint32_t day, Shard shard,
                                   const WorkLimit& limit, Found& found) {
  BoundCells cells;
  cells.add_text(tables_.customer.text()).add_int(day_column(day)).add_int(shard.number);
  Rows rows(tables_.session, *tables_.statements.read_log_streams, std::move(cells),
            tables_.customer.text(), tables_.limit);
  while (found.is_listed) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return {};
    const std::string digest((*row)->read_blob());
    LogStream stream;
    stream.service_name = (*row)->read_blob();
    stream.node_id = (*row)->read_blob();
    stream.environment = (*row)->read_blob();
    // Then all records are looked at: what they are of they say themselves.
    found.is_listed = (*row)->ok() && ++found.streams <= kStreamsLookedAt && !limit.is_over();
    if (!may_match(matchers, stream)) continue;
    const auto at = std::find(found.wanted.begin(), found.wanted.end(), digest);
    if (at != found.wanted.end()) continue;
    if (found.wanted.size() <= kStreamsAtOnce) found.wanted.push_back(digest);
  }
  return {};
}

Result<void> StreamTimes::open_stream(const std::string& digest, std::int32_t first,
                                      std::int32_t last) {
  const std::uint32_t day = static_cast<std::uint32_t>(first) / kSlotsOfDay;
  const auto parts =
      tables_.places.list(tables_.customer, {PlaceKind::kLogTimes, day, digest}, 0, tables_.limit);
  if (!parts) return forward(parts);
  for (const PlacedPart& part : *parts) {
    auto cursor = std::make_unique<Cursor>(Cursor{digest, nullptr});
    BoundCells cells;
    cells.add_text(tables_.customer.text()).add_int(day_column(day)).add_blob(cursor->digest);
    cells.add_int(part.shard.number).add_int(first).add_int(last);
    const Statement& statement =
        is_backward_ ? tables_.statements.read_log_times_back : tables_.statements.read_log_times;
    cursor->rows = std::make_unique<Rows>(tables_.session, *statement, std::move(cells),
                                          tables_.customer.text(), tables_.limit);
    if (auto begun = advance(*cursor); !begun) return begun;
    cursors_.push_back(std::move(cursor));
  }
  return {};
}

Result<void> StreamTimes::advance(Cursor& cursor) {
  auto row = cursor.rows->next();
  if (!row) return forward(row);
  cursor.slot.reset();
  if (!*row) return {};
  cursor.slot = (*row)->read_int();
  cursor.times = (*row)->read_blob();
  return (*row)->ok() ? Result<void>() : malformed_row("log_times");
}

Result<std::optional<std::vector<TimestampNs>>> StreamTimes::times_of(std::int32_t slot) {
  std::vector<TimestampNs> times;
  bool is_known = true;
  const TimestampNs begin = static_cast<TimestampNs>(slot) * kSlotNs;
  for (const auto& cursor : cursors_) {
    while (cursor->slot && !is_before(slot, *cursor->slot)) {
      if (*cursor->slot == slot && is_known) {
        if (!decode_times(begin, cursor->times, times)) {
          ++damaged_;
          is_known = false;
        }
        is_known = is_known && times.size() <= kTimesAtOnce;
      }
      if (auto next = advance(*cursor); !next) return forward(next);
    }
  }
  if (!is_known) return std::optional<std::vector<TimestampNs>>();
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  if (is_backward_) std::reverse(times.begin(), times.end());
  return std::optional(std::move(times));
}

}  // namespace vigia::storage::store::cassandra
