#include "services/storage/store/cassandra/trace_rows.hpp"

#include <algorithm>

namespace vigia::storage::store::cassandra {

using vigia::cassandra::BoundCells;

TraceRows::TraceRows(vigia::cassandra::Session& session, const EventStatements& statements,
                     Origins& origins, const CustomerId& customer, std::string trace_id,
                     const FiledTimes& times, std::atomic<std::uint64_t>& damaged)
    : origins_(origins),
      trace_id_(std::move(trace_id)),
      rows_(session, *statements.read_trace, cells_of(customer, times), customer.text()),
      damaged_(damaged) {}

BoundCells TraceRows::cells_of(const CustomerId& customer, const FiledTimes& times) const {
  BoundCells cells;
  cells.add_text(customer.text()).add_blob(trace_id_);
  cells.add_bigint(static_cast<std::int64_t>(std::min<TimestampNs>(times.from_ns, INT64_MAX)));
  cells.add_bigint(static_cast<std::int64_t>(std::min<TimestampNs>(times.to_ns, INT64_MAX)));
  return cells;
}

Result<std::optional<TraceRow>> TraceRows::next(std::uint32_t kept_day) {
  while (true) {
    auto row = rows_.next();
    if (!row) return forward(row);
    if (!*row) return std::optional<TraceRow>();
    TraceRow found;
    found.time_ns = static_cast<TimestampNs>((*row)->read_bigint());
    const auto day = static_cast<std::uint32_t>((*row)->read_int());
    const std::string_view resource = (*row)->read_blob();
    const std::string_view scope = (*row)->read_blob();
    const std::string_view item = (*row)->read_blob();
    if (day < kept_day) continue;
    const auto event = event_of(origins_, day, resource, scope, item);
    if (!event) return forward(event);
    if (!(*row)->ok() || !*event) {
      ++damaged_;
      continue;
    }
    found.event = **event;
    return std::optional<TraceRow>(found);
  }
}

}  // namespace vigia::storage::store::cassandra
