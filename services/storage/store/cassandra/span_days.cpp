#include "services/storage/store/cassandra/span_days.hpp"

#include <algorithm>

#include <protozero/exception.hpp>

#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/cassandra/trace_rows.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

constexpr std::size_t kIdsAtOnce = 500'000;
constexpr std::uint64_t kPartsStep = 8;
constexpr TimestampNs kDayNs = TimestampNs{kSlotsOfDay} * kSlotNs;

void put_in_order(auto& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

SpanDay::SpanDay(vigia::cassandra::Session& session, const EventStatements& statements,
                 EventPlaces& places, const CustomerId& customer, std::uint32_t day, bool is_listed)
    : session_(session),
      statements_(statements),
      places_(places),
      customer_(customer),
      day_(day),
      is_listed_(is_listed),
      origins_(session, statements, customer) {}

Result<bool> SpanDay::read(const EventStore::SpanVisit& visit, const WorkLimit& limit,
                           std::atomic<std::uint64_t>& damaged) {
  Ids ids;
  origins_.use_limit(&limit);
  limit_ = &limit;
  while (ids.part < ids.parts) {
    if (limit.is_over()) return false;
    ids.ids.clear();
    ids.is_over = false;
    const auto found = find(ids);
    if (!found && limit.is_over()) return false;
    if (!found) return forward(found);
    // Only before the first trace was given: of a list that grows meanwhile it is a little more.
    if (ids.is_over && ids.part == 0) {
      ids.parts *= kPartsStep;
      continue;
    }
    const auto going = read_traces(ids, visit, limit, damaged);
    if (!going && limit.is_over()) return false;
    if (!going) return forward(going);
    if (*going != Going::kOn) return *going == Going::kDone;
    ++ids.part;
  }
  return true;
}

Result<void> SpanDay::find(Ids& ids) {
  if (auto added = add_listed(ids); !added) return added;
  if (!is_listed_) {
    if (auto added = add_of_all_days(ids); !added) return added;
  }
  put_in_order(ids.ids);
  return {};
}

void SpanDay::add(Ids& ids, std::string_view id) const {
  if (id.size() != kTraceIdBytes || (ids.is_over && ids.part == 0)) return;
  // By a hash of this process alone: nobody makes ids that all lie in one part.
  if (places_.hash_of(id) % ids.parts != ids.part) return;
  TraceId& one = ids.ids.emplace_back();
  std::copy(id.begin(), id.end(), one.begin());
  if (ids.ids.size() < 2 * kIdsAtOnce) return;
  put_in_order(ids.ids);
  ids.is_over = ids.ids.size() > kIdsAtOnce;
}

Result<void> SpanDay::add_listed(Ids& ids) {
  const auto parts = places_.list(customer_, {PlaceKind::kTraceIds, day_}, 0, limit_);
  if (!parts) return forward(parts);
  for (const PlacedPart& part : *parts) {
    BoundCells cells;
    cells.add_text(customer_.text()).add_int(day_column(day_)).add_int(part.shard.number);
    Rows rows(session_, *statements_.read_trace_ids, std::move(cells), customer_.text(), limit_);
    while (true) {
      auto row = rows.next();
      if (!row) return forward(row);
      if (!*row) break;
      std::string_view all = (*row)->read_blob();
      for (; all.size() >= kTraceIdBytes; all.remove_prefix(kTraceIdBytes)) {
        add(ids, all.substr(0, kTraceIdBytes));
      }
    }
  }
  return {};
}

// Of days on which spans came that no list names: whose trace has none of the day gives nothing.
Result<void> SpanDay::add_of_all_days(Ids& ids) {
  Rows rows(session_, *statements_.list_traces, {}, customer_.text(), limit_);
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return {};
    const std::string_view customer = (*row)->read_text();
    const std::string_view id = (*row)->read_blob();
    if ((*row)->ok() && customer == customer_.text()) add(ids, id);
  }
}

Result<SpanDay::Going> SpanDay::read_traces(const Ids& ids, const EventStore::SpanVisit& visit,
                                            const WorkLimit& limit,
                                            std::atomic<std::uint64_t>& damaged) {
  for (const TraceId& id : ids.ids) {
    const auto going = read_trace(id, visit, limit, damaged);
    if (!going || *going != Going::kOn) return going;
  }
  return Going::kOn;
}

Result<SpanDay::Going> SpanDay::read_trace(const TraceId& id, const EventStore::SpanVisit& visit,
                                           const WorkLimit& limit,
                                           std::atomic<std::uint64_t>& damaged) {
  const TimestampNs first_ns = TimestampNs{day_} * kDayNs;
  TraceRows rows({session_, statements_, places_, damaged, &limit}, origins_, customer_,
                 std::string(id.data(), id.size()), {first_ns, first_ns + kDayNs - 1});
  while (true) {
    if (limit.is_over()) return Going::kLimit;
    const auto row = rows.next(day_);
    if (!row) return forward(row);
    if (!*row) return Going::kOn;
    try {
      if (!visit((*row)->event)) return Going::kDone;
    } catch (const protozero::exception&) {
      ++damaged;
    }
  }
}

}  // namespace vigia::storage::store::cassandra
