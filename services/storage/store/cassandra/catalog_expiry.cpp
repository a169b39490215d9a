// CassandraCatalog: what is too old is forgotten.
#include <algorithm>

#include "services/storage/store/cassandra/catalog.hpp"
#include "services/storage/store/cassandra/value_parts.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

// Deletions under way together, so that memory goes by this.
constexpr std::size_t kTogether = 256;

}  // namespace

// Rows are deleted with the write time of the cut (schema.cql, step 1): what another instance has
// noted of a later day meanwhile stays, whoever comes last.
struct CassandraCatalog::Expiry {
  const CustomerId& customer;
  std::uint32_t cut;
  std::size_t gone = 0;  // series
  // The first one: what cannot be expired holds up nothing behind it, and is tried again.
  std::optional<Error> error = std::nullopt;

  bool note(Result<void> outcome) {
    if (!outcome && !error) error = std::move(outcome.error());
    return outcome.has_value();
  }
};

/// A row and its days.
struct CassandraCatalog::Expiring {
  std::string text;  // its metric, or the label's name or value
  std::int32_t shard = 0;
  std::int64_t id = 0;
  std::optional<std::uint32_t> first_day;
  std::optional<std::uint32_t> last_day;

  void read_first(RowReader& row) {
    if (!row.take_null()) first_day = static_cast<std::uint32_t>(std::max(row.read_int(), 0));
  }
  void read_last(RowReader& row) {
    if (!row.take_null()) last_day = static_cast<std::uint32_t>(std::max(row.read_int(), 0));
  }
  bool is_over(std::uint32_t cut) const { return last_day.value_or(0) < cut; }
};

Result<std::size_t> CassandraCatalog::expire(const ExpiryCuts& cuts, TimestampMs /*now_ms*/) {
  const std::lock_guard lock(expire_mutex_);
  const CutDays days = kept_.held_back(kIndexKind, cuts);
  if (!looks_.begin(days)) return 0U;
  if (auto raised = kept_.raise(kIndexKind, days); !raised) return forward(raised);
  if (auto loaded = load_customers(); !loaded) return forward(loaded);
  forget_known(days);
  std::size_t gone = 0;
  std::optional<Error> first;
  for (const CustomerId& customer : customers()) {
    if (!looks_.is_due(customer.text())) continue;
    Expiry expiry{customer, days.of(customer.text())};
    expiry.note(expire_series(expiry));
    expiry.note(expire_texts(expiry));
    gone += expiry.gone;
    if (!first) first = expiry.error;
  }
  if (first) return tl::unexpected<Error>(*std::move(first));
  looks_.end();
  return gone;
}

// By the latest of the cuts: of those with an earlier one what is forgotten is noted once more.
void CassandraCatalog::forget_known(const CutDays& days) {
  std::uint32_t latest = days.all;
  for (const auto& [customer, day] : days.own) latest = std::max(latest, day);
  const std::lock_guard known(known_mutex_);
  ids_.forget_before(latest);
  texts_.forget_before(latest);
}

Result<void> CassandraCatalog::expire_series(Expiry& expiry) {
  const std::string& owner = expiry.customer.text();
  BoundCells key;
  key.add_text(owner);
  Rows rows(session_, *statements_.list_all_shards, std::move(key), owner);
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return {};
    Expiring part;
    part.text = (*row)->read_text();
    part.shard = (*row)->read_int();
    part.read_last(**row);
    if (!(*row)->ok()) {
      ++malformed_;
      continue;
    }
    // The name of the part stays where something of it may have stayed.
    if (!expiry.note(expire_shard(expiry, part.text, part.shard))) continue;
    if (!part.is_over(expiry.cut)) continue;
    BoundCells cells;
    cells.add_bigint(expiry.cut).add_text(owner).add_text(part.text).add_int(part.shard);
    auto deleted = ask(session_, *statements_.delete_metric, cells, owner);
    if (!deleted) return forward(deleted);
  }
}

Result<void> CassandraCatalog::expire_shard(Expiry& expiry, const std::string& metric,
                                            std::int32_t shard) {
  const std::string& owner = expiry.customer.text();
  BoundCells key;
  key.add_text(owner).add_text(metric).add_int(shard);
  Rows rows(session_, *statements_.scan_series, std::move(key), owner);
  Requests requests(session_, owner);
  for (std::size_t under_way = 0;;) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return requests.wait_for_all();
    Expiring series{metric, shard, (*row)->read_bigint(), {}, {}};
    if (!(*row)->take_null()) (void)(*row)->read_blob();
    series.read_first(**row);
    series.read_last(**row);
    if (!(*row)->ok() || !series.is_over(expiry.cut)) continue;
    delete_series(expiry, series, requests);
    if (++under_way % kTogether != 0) continue;
    if (auto done = requests.wait_for_all(); !done) return done;
  }
}

void CassandraCatalog::delete_series(Expiry& expiry, const Expiring& series, Requests& requests) {
  const std::string& owner = expiry.customer.text();
  BoundCells row;
  row.add_bigint(expiry.cut).add_text(owner).add_text(series.text).add_int(series.shard);
  row.add_bigint(series.id);
  requests.add(*statements_.delete_series, row);
  if (series.first_day) {
    BoundCells first;
    first.add_bigint(first_day_time(*series.first_day)).add_text(owner).add_text(series.text);
    first.add_int(series.shard).add_bigint(series.id);
    requests.add(*statements_.delete_first_day, first);
  }
  BoundCells by_id;
  by_id.add_bigint(expiry.cut).add_text(owner).add_bigint(series.id);
  requests.add(*statements_.delete_id, by_id);
  expiry.gone += series.last_day ? 1 : 0;
  const std::lock_guard lock(known_mutex_);
  metrics_.forget({static_cast<std::uint64_t>(series.id)});
}

Result<void> CassandraCatalog::expire_texts(Expiry& expiry) {
  const std::string& owner = expiry.customer.text();
  BoundCells all;
  all.add_text(owner).add_text("");
  Rows rows(session_, *statements_.list_names, std::move(all), owner);
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return {};
    Expiring name;
    name.text = (*row)->read_text();
    name.read_first(**row);
    name.read_last(**row);
    if (!(*row)->ok()) continue;
    if (!expiry.note(expire_label(expiry, name.text))) continue;
    if (!name.is_over(expiry.cut)) continue;
    Requests requests(session_, owner);
    BoundCells cells;
    cells.add_bigint(expiry.cut).add_text(owner).add_text(name.text);
    requests.add(*statements_.delete_name, cells);
    BoundCells first;
    first.add_bigint(first_day_time(name.first_day.value_or(0))).add_text(owner);
    first.add_text(name.text);
    if (name.first_day) requests.add(*statements_.delete_name_first, first);
    if (auto done = requests.wait_for_all(); !done) return done;
  }
}

Result<void> CassandraCatalog::expire_label(Expiry& expiry, const std::string& name) {
  const auto parts = parts_of_label(expiry.customer, name);
  if (!parts) return forward(parts);
  for (const Shard part : *parts) {
    if (auto expired = expire_values(expiry, value_key(name, part)); !expired) return expired;
  }
  return {};
}

// Of one part: `name` is its key.
Result<void> CassandraCatalog::expire_values(Expiry& expiry, const std::string& name) {
  const std::string& owner = expiry.customer.text();
  BoundCells all;
  all.add_text(owner).add_text(name).add_blob("");
  Rows rows(session_, *statements_.list_values, std::move(all), owner);
  Requests requests(session_, owner);
  for (std::size_t under_way = 0;;) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return requests.wait_for_all();
    Expiring value;
    value.text = (*row)->read_blob();
    value.read_first(**row);
    value.read_last(**row);
    if (!(*row)->ok() || !value.is_over(expiry.cut)) continue;
    delete_value(expiry, name, value, requests);
    if (++under_way % kTogether != 0) continue;
    if (auto done = requests.wait_for_all(); !done) return done;
  }
}

void CassandraCatalog::delete_value(const Expiry& expiry, const std::string& name,
                                    const Expiring& value, Requests& requests) const {
  const std::string& owner = expiry.customer.text();
  BoundCells cells;
  cells.add_bigint(expiry.cut).add_text(owner).add_text(name).add_blob(value.text);
  requests.add(*statements_.delete_value, cells);
  if (!value.first_day) return;
  BoundCells first;
  first.add_bigint(first_day_time(*value.first_day)).add_text(owner).add_text(name);
  first.add_blob(value.text);
  requests.add(*statements_.delete_value_first, first);
}

}  // namespace vigia::storage::store::cassandra
