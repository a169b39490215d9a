#include "services/storage/store/cassandra/chunk_places.hpp"

#include <algorithm>

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

// Of a partition, by one instance since it started; several, and several starts, stay below the 100
// MB that a partition should not pass, and a reader of one series does not go through too much.
constexpr std::size_t kPartBytes = 8U << 20U;
constexpr std::size_t kPeriodsKnownMax = 50'000;

std::int8_t column(Resolution resolution) { return static_cast<std::int8_t>(resolution); }

}  // namespace

Result<void> ChunkPlaces::prepare(Preparation& preparation) {
  list_ = preparation.prepare(
      "SELECT day, shard, class FROM {}.chunk_days WHERE customer_id = ? AND metric = ? AND "
      "resolution = ? AND day >= ? AND day <= ?");
  write_ = preparation.prepare_row(
      "INSERT INTO {}.chunk_days (customer_id, metric, resolution, day, shard, class) VALUES (?, "
      "?, ?, ?, ?, ?)");
  list_metrics_ =
      preparation.prepare("SELECT DISTINCT customer_id, metric, resolution FROM {}.chunk_days");
  delete_ = preparation.prepare(
      "DELETE FROM {}.chunk_days WHERE customer_id = ? AND metric = ? AND resolution = ? AND day < "
      "?");
  delete_parts_ = preparation.prepare(
      "DELETE FROM {}.rollup_parts WHERE customer_id = ? AND metric = ? AND resolution = ? AND "
      "period < ?");
  return preparation.outcome();
}

Result<std::vector<PlacedDay>> ChunkPlaces::list(const MetricPlace& place, const DayRange& days) {
  BoundCells cells;
  cells.add_text(place.customer.text()).add_text(place.metric);
  cells.add_tinyint(column(place.resolution));
  cells.add_int(day_column(days.first)).add_int(day_column(days.last));
  Rows rows(session_, *list_, std::move(cells), place.customer.text());
  std::vector<PlacedDay> all;
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return all;
    PlacedDay one;
    one.day = static_cast<std::uint32_t>(std::max((*row)->read_int(), 0));
    one.shard.number = (*row)->read_int();
    one.keep = (*row)->read_text();
    if (!(*row)->ok()) return malformed_row("chunk_days");
    all.push_back(std::move(one));
  }
}

ChunkPlaces::PeriodKey ChunkPlaces::key_of(const MetricPlace& place, std::uint32_t day) {
  return {place.customer.text(), place.metric, place.resolution, period_of(place.resolution, day)};
}

/// More bytes of a period: over how many parts it lies. Nothing where it is not known.
std::optional<std::int32_t> ChunkPlaces::count_in(const PeriodKey& key, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto at = periods_.find(key);
  if (at == periods_.end()) return std::nullopt;
  Period& period = at->second;
  const std::int32_t parts = period.parts;
  period.bytes += bytes;
  if (period.bytes > kPartBytes * static_cast<std::size_t>(parts) && parts < kPartsMax) {
    period.parts *= 2;
    period.bytes = 0;
  }
  return parts;
}

Result<ChunkPlaces::Period> ChunkPlaces::load(const MetricPlace& place, std::uint32_t period) {
  const std::uint32_t first = period * period_days(place.resolution);
  const auto days = list(place, {first, first + period_days(place.resolution) - 1});
  if (!days) return forward(days);
  Period found;
  for (const PlacedDay& one : *days) {
    found.parts = std::max(found.parts, parts_of(one.shard));
    found.noted.insert(one);
  }
  return found;
}

Result<std::int32_t> ChunkPlaces::parts_for(const MetricPlace& place, std::uint32_t day,
                                            std::size_t bytes) {
  const PeriodKey key = key_of(place, day);
  if (const auto known = count_in(key, bytes)) return *known;
  auto loaded = load(place, period_of(place.resolution, day));
  if (!loaded) return forward(loaded);
  const std::int32_t parts = loaded->parts;
  {
    const std::lock_guard lock(mutex_);
    if (periods_.size() >= kPeriodsKnownMax) periods_.clear();
    periods_.emplace(key, *std::move(loaded));
  }
  return count_in(key, bytes).value_or(parts);
}

Result<void> ChunkPlaces::note(const MetricPlace& place, const std::set<PlacedDay>& days) {
  std::set<PlacedDay> unknown = days;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(unknown, [&](const auto& one) {
      const auto at = periods_.find(key_of(place, one.day));
      return at != periods_.end() && at->second.noted.contains(one);
    });
  }
  Requests requests(session_, place.customer.text());
  for (const PlacedDay& one : unknown) {
    BoundCells cells;
    cells.add_text(place.customer.text()).add_text(place.metric);
    cells.add_tinyint(column(place.resolution)).add_int(day_column(one.day));
    cells.add_int(one.shard.number).add_text(one.keep);
    requests.add(*write_, cells);
  }
  if (auto written = requests.wait_for_all(); !written) return written;
  const std::lock_guard lock(mutex_);
  for (const PlacedDay& one : unknown) {
    const PeriodKey key = key_of(place, one.day);
    // Of raw not without its parts; of roll-ups those are elsewhere (RollupRows).
    if (place.resolution != Resolution::kRaw) {
      if (periods_.size() >= kPeriodsKnownMax) periods_.clear();
      periods_[key].noted.insert(one);
    } else if (const auto at = periods_.find(key); at != periods_.end()) {
      at->second.noted.insert(one);
    }
  }
  return {};
}

Result<std::size_t> ChunkPlaces::forget_before(Resolution resolution, const CutDays& cuts,
                                               const ExpiryLooks& looks) {
  std::set<std::uint32_t> gone;
  Rows rows(session_, *list_metrics_, {}, "");
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) break;
    Named place;
    place.customer = (*row)->read_text();
    place.metric = (*row)->read_text();
    place.resolution = (*row)->read_tinyint();
    if (!(*row)->ok() || place.resolution != column(resolution)) continue;
    if (!looks.is_due(place.customer)) continue;
    const std::uint32_t day = cuts.of(place.customer);
    if (auto forgotten = forget_days(place, day, gone); !forgotten) return forward(forgotten);
  }
  const std::lock_guard lock(mutex_);
  periods_.clear();
  return gone.size();
}

Result<void> ChunkPlaces::forget_days(const Named& place, std::uint32_t day,
                                      std::set<std::uint32_t>& gone) {
  if (day == 0) return {};
  BoundCells cells;
  cells.add_text(place.customer).add_text(place.metric).add_tinyint(place.resolution);
  cells.add_int(0).add_int(day_column(day - 1));
  Rows rows(session_, *list_, std::move(cells), place.customer);
  bool is_any = false;
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) break;
    gone.insert(static_cast<std::uint32_t>((*row)->read_int()));
    is_any = true;
  }
  if (!is_any) return {};
  BoundCells key;
  key.add_text(place.customer).add_text(place.metric).add_tinyint(place.resolution);
  key.add_int(day_column(day));
  auto deleted = ask(session_, *delete_, key, place.customer);
  if (!deleted || place.resolution == column(Resolution::kRaw)) {
    return deleted ? Result<void>() : forward(deleted);
  }
  const auto resolution = static_cast<Resolution>(place.resolution);
  BoundCells periods;
  periods.add_text(place.customer).add_text(place.metric).add_tinyint(place.resolution);
  periods.add_int(static_cast<std::int32_t>(period_of(resolution, day)));
  deleted = ask(session_, *delete_parts_, periods, place.customer);
  if (!deleted) return forward(deleted);
  return {};
}

}  // namespace vigia::storage::store::cassandra
