#include "services/storage/store/cassandra/trace_rows.hpp"

#include <algorithm>

#include "libs/base/bytes.hpp"
#include "services/storage/store/cassandra/key_id.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

std::int64_t column(TimestampNs time_ns) {
  return static_cast<std::int64_t>(std::min<TimestampNs>(time_ns, INT64_MAX));
}

}  // namespace

// The first part has a table of its own.
Result<void> TraceRows::open() {
  auto parts =
      tables_.places.list(customer_, {PlaceKind::kTraceSpans, 0, trace_id_}, 0, tables_.limit);
  if (!parts) return forward(parts);
  further_ = *std::move(parts);
  BoundCells cells;
  cells.add_text(customer_.text()).add_blob(trace_id_);
  cells.add_bigint(column(times_.from_ns)).add_bigint(column(times_.to_ns));
  rows_ = std::make_unique<Rows>(tables_.session, *tables_.statements.read_trace, std::move(cells),
                                 customer_.text(), tables_.limit);
  return {};
}

// False: that was the last one.
Result<bool> TraceRows::open_next() {
  if (opened_ == further_.size()) return false;
  BoundCells cells;
  cells.add_text(customer_.text()).add_blob(trace_id_).add_int(further_[opened_].shard.number);
  cells.add_bigint(column(times_.from_ns)).add_bigint(column(times_.to_ns));
  rows_ = std::make_unique<Rows>(tables_.session, *tables_.statements.read_trace_part,
                                 std::move(cells), customer_.text(), tables_.limit);
  ++opened_;
  return true;
}

// One that came twice while a part was divided lies in both.
bool TraceRows::is_known(TimestampNs time_ns, std::string_view digest) {
  if (further_.empty()) return false;
  std::string key(digest);
  append_u64(key, time_ns);
  return !known_.insert(std::move(key)).second;
}

Result<std::optional<TraceRow>> TraceRows::next(std::uint32_t kept_day) {
  if (rows_ == nullptr) {
    if (auto opened = open(); !opened) return forward(opened);
  }
  while (true) {
    auto row = rows_->next();
    if (!row) return forward(row);
    if (!*row) {
      const auto more = open_next();
      if (!more) return forward(more);
      if (!*more) return std::optional<TraceRow>();
      continue;
    }
    const auto time_ns = static_cast<TimestampNs>((*row)->read_bigint());
    const std::string_view digest = (*row)->read_blob();
    const auto day = static_cast<std::uint32_t>((*row)->read_int());
    const std::string_view resource = (*row)->read_blob();
    const std::string_view scope = (*row)->read_blob();
    const std::string_view item = (*row)->read_blob();
    const bool is_read = take_no_key(**row) && (*row)->ok();
    if (day < kept_day || is_known(time_ns, digest)) continue;
    const auto event = is_read ? event_of(origins_, day, resource, scope, item)
                               : Result<std::optional<EventView>>(std::nullopt);
    if (!event) return forward(event);
    if (*event) return std::optional(TraceRow{time_ns, **event});
    ++tables_.damaged;
  }
}

}  // namespace vigia::storage::store::cassandra
