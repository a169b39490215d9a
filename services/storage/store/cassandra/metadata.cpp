#include "services/storage/store/cassandra/metadata.hpp"

#include <algorithm>
#include <optional>

#include "services/storage/store/cassandra/key_id.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

constexpr std::size_t kTogether = 256;        // requests under way, so that memory goes by this
constexpr std::uint32_t kMetadataRows = 500;  // of some 5 KB at most
constexpr std::size_t kFailuresMax = 3;       // each may have taken its whole deadline

// Nothing for a row that is none.
std::optional<MetricMetadata> read_row(RowReader& row) {
  MetricMetadata metric;
  metric.metric = row.read_text();
  const std::int8_t type = row.read_tinyint();
  metric.unit = row.read_text();
  metric.help = row.read_text();
  metric.day = static_cast<std::uint32_t>(std::max(row.read_int(), 0));
  if (!take_no_key(row) || !row.ok() || type < 0 || type > kMetricTypeMax) return std::nullopt;
  metric.type = static_cast<std::uint8_t>(type);
  return metric;
}

}  // namespace

Result<void> CassandraMetadata::prepare(Preparation& preparation) {
  write_ = preparation.prepare(
      "INSERT INTO {}.metric_metadata (customer_id, metric, type, unit, help, noted_day) VALUES "
      "(?, ?, ?, ?, ?, ?)");
  read_all_ = preparation.prepare(
      "SELECT metric, type, unit, help, noted_day, key_id FROM {}.metric_metadata WHERE "
      "customer_id = "
      "?",
      kMetadataRows);
  read_one_ = preparation.prepare(
      "SELECT metric, type, unit, help, noted_day, key_id FROM {}.metric_metadata WHERE "
      "customer_id = "
      "? AND metric = ?");
  list_days_ = preparation.prepare(
      "SELECT metric, noted_day, WRITETIME(noted_day) FROM {}.metric_metadata WHERE customer_id = "
      "?");
  forget_ = preparation.prepare(
      "DELETE FROM {}.metric_metadata USING TIMESTAMP ? WHERE customer_id = ? AND metric = ?");
  return preparation.outcome();
}

Result<void> CassandraMetadata::put(const CustomerId& customer,
                                    std::span<const MetricMetadata> metrics) {
  // Whoever is known by this alone is known.
  if (const auto known = catalog_.seed_of(customer); !known) return forward(known);
  const std::string& owner = customer.text();
  while (!metrics.empty()) {
    const auto some = metrics.first(std::min(metrics.size(), kTogether));
    metrics = metrics.subspan(some.size());
    Requests requests(session_, owner);
    for (const MetricMetadata& metric : some) {
      BoundCells cells;
      cells.add_text(owner).add_text(metric.metric);
      cells.add_tinyint(static_cast<std::int8_t>(metric.type)).add_text(metric.unit);
      cells.add_text(metric.help).add_int(static_cast<std::int32_t>(metric.day));
      requests.add(*write_, cells);
    }
    if (auto done = requests.wait_for_all(); !done) return done;
  }
  return {};
}

Result<void> CassandraMetadata::read(const CustomerId& customer, std::string_view metric,
                                     const Visit& visit, const WorkLimit& limit) {
  const std::string& owner = customer.text();
  BoundCells cells;
  cells.add_text(owner);
  if (!metric.empty()) cells.add_text(metric);
  Rows rows(session_, metric.empty() ? *read_all_ : *read_one_, std::move(cells), owner, &limit);
  for (;;) {
    if (auto checked = limit.check(); !checked) return checked;
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return {};
    const auto found = read_row(**row);
    if (!found) {
      ++malformed_;
      continue;
    }
    if (!visit(*found)) return {};
  }
}

Result<std::size_t> CassandraMetadata::expire(const ExpiryCuts& cuts) {
  if (cuts.latest_ms() <= 0) return 0U;
  // Room for one who is full, whatever another instance keeps; what the sweep has done stays known.
  if (cuts.before_ms <= 0 && cuts.own.size() == 1)
    return expire_of(cuts.own.begin()->first, day_of(cuts.own.begin()->second));
  const CutDays days = kept_.held_back(kIndexKind, cuts);
  {
    const std::lock_guard lock(expire_mutex_);
    if (days == expired_to_) return 0U;
  }
  auto gone = expire_each(days);
  const std::lock_guard lock(expire_mutex_);
  expired_to_.reset();
  if (gone) expired_to_ = days;
  return gone;
}

Result<std::size_t> CassandraMetadata::expire_each(const CutDays& days) {
  std::size_t gone = 0;
  std::size_t in_a_row = 0;  // that failed
  std::optional<Error> first;
  for (const CustomerId& customer : catalog_.customers()) {
    const auto some = expire_of(customer, days.of(customer.text()));
    if (some) gone += *some;
    if (!some && !first) first = with_context(customer.text(), some.error());
    in_a_row = some ? 0 : in_a_row + 1;
    if (in_a_row == kFailuresMax) break;
  }
  if (first) return tl::unexpected<Error>(*first);
  return gone;
}

// With the write time that was read: what is put meanwhile stays.
Result<std::size_t> CassandraMetadata::expire_of(const CustomerId& customer, std::uint32_t cut) {
  if (cut == 0) return 0U;
  const std::string& owner = customer.text();
  BoundCells key;
  key.add_text(owner);
  Rows rows(session_, *list_days_, std::move(key), owner);
  Requests requests(session_, owner);
  std::size_t gone = 0;
  for (;;) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) break;
    const std::string metric((*row)->read_text());
    const auto day = static_cast<std::uint32_t>(std::max((*row)->read_int(), 0));
    const std::int64_t written = (*row)->read_bigint();
    if (!(*row)->ok() || day >= cut) continue;
    BoundCells cells;
    cells.add_bigint(written).add_text(owner).add_text(metric);
    requests.add(*forget_, cells);
    if (++gone % kTogether != 0) continue;
    if (auto done = requests.wait_for_all(); !done) return forward(done);
  }
  if (auto done = requests.wait_for_all(); !done) return forward(done);
  return gone;
}

}  // namespace vigia::storage::store::cassandra
