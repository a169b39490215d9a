// CassandraEvents: spans that are found without their traces' ids.
#include <algorithm>

#include "services/storage/store/cassandra/events.hpp"
#include "services/storage/store/cassandra/name_pages.hpp"
#include "services/storage/store/cassandra/series_identity.hpp"
#include "services/storage/store/cassandra/span_days.hpp"

namespace vigia::storage::store::cassandra {

using vigia::cassandra::BoundCells;

// Those that are kept, in order.
Result<std::vector<std::uint32_t>> CassandraEvents::days_between(const CustomerId& customer,
                                                                 TimestampNs from_ns,
                                                                 TimestampNs to_ns,
                                                                 const WorkLimit* limit) {
  const std::uint32_t first = std::max(day_of_ns(from_ns), kept_day(customer, Signal::kTraces));
  const auto slot = [](std::uint32_t day) {
    return static_cast<std::int32_t>(
        std::min<std::uint64_t>(std::uint64_t{day} * kSlotsOfDay, INT32_MAX));
  };
  BoundCells cells;
  cells.add_text(customer.text()).add_tinyint(static_cast<std::int8_t>(Signal::kTraces));
  cells.add_int(slot(first)).add_int(slot(day_of_ns(to_ns)));
  Rows rows(session_, *statements_.list_slots, std::move(cells), customer.text(), limit);
  std::vector<std::uint32_t> days;
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return days;
    const auto day = static_cast<std::uint32_t>((*row)->read_int()) / kSlotsOfDay;
    if (days.empty() || days.back() != day) days.push_back(day);
  }
}

Result<TraceEnd> CassandraEvents::find_traces(const CustomerId& customer, const TraceQuery& query,
                                              const TraceVisit& visit, const WorkLimit& limit) {
  if (query.service.empty()) return fail(ErrorCode::kInvalid, "a search names a service");
  if (query.from_ns > query.to_ns) return TraceEnd{};
  const auto days = days_between(customer, query.from_ns, query.to_ns, &limit);
  if (!days && limit.is_over()) return TraceEnd{false, query.after};
  if (!days) return forward(days);
  BlockSearch search({session_, statements_, places_, damaged_[index_of(Signal::kTraces)], &limit},
                     customer, query, kept_day(customer, Signal::kTraces), search_bounds_);
  if (!days->empty() && days->front() < indexed_from_) search.note_left_out();
  return search.run(*days, visit, limit);
}

Result<TextPage> CassandraEvents::services(const CustomerId& customer, const ServiceQuery& query,
                                           const WorkLimit& limit) {
  if (auto over = limit.check(); !over) return forward(over);
  const auto days = days_between(customer, query.from_ns, query.to_ns, &limit);
  if (!days) return forward(days);
  const std::optional<Operation> after =
      query.after.empty() ? std::nullopt : std::optional(Operation{query.after, INT32_MAX});
  NamePages names(session_, statements_, places_, customer, limit);
  auto listed = names.list(*days, "", after, query.services_max);
  if (!listed) return forward(listed);
  TextPage page{{}, listed->is_last};
  for (Operation& name : listed->operations) page.texts.push_back(std::move(name.name));
  return page;
}

Result<OperationPage> CassandraEvents::operations(const CustomerId& customer,
                                                  std::string_view service,
                                                  const OperationQuery& query,
                                                  const WorkLimit& limit) {
  if (auto over = limit.check(); !over) return forward(over);
  if (service.empty()) return OperationPage{{}, true};
  const auto days = days_between(customer, query.from_ns, query.to_ns, &limit);
  if (!days) return forward(days);
  NamePages names(session_, statements_, places_, customer, limit);
  return names.list(*days, key_text(service), query.after, query.operations_max);
}

Result<std::vector<std::uint32_t>> CassandraEvents::days_with_spans(const CustomerId& customer) {
  return days_between(customer, 0, UINT64_MAX, nullptr);
}

Result<bool> CassandraEvents::read_day(const CustomerId& customer, std::uint32_t day,
                                       const SpanVisit& visit, const WorkLimit& limit) {
  if (day < kept_day(customer, Signal::kTraces)) return true;
  SpanDay spans(session_, statements_, places_, customer, day, day >= indexed_from_);
  return spans.read(visit, limit, damaged_[index_of(Signal::kTraces)]);
}

}  // namespace vigia::storage::store::cassandra
