#include "services/storage/store/cassandra/exemplars.hpp"

#include <algorithm>
#include <bit>
#include <set>

#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/cassandra/events.hpp"
#include "services/storage/store/cassandra/key_id.hpp"
#include "services/storage/store/cassandra/series_identity.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

constexpr TimestampMs kHourMs = 3'600'000;
constexpr std::int32_t kHoursOfDay = 24;

// What no column of 32 bits holds lies thousands of years away.
std::int32_t hour_of(TimestampMs time_ms) {
  return static_cast<std::int32_t>(std::clamp<TimestampMs>(time_ms / kHourMs, 0, INT32_MAX));
}
std::int64_t bits(SeriesId series) { return static_cast<std::int64_t>(series.value); }

// Of value and labels: those of one series and time that are alike are one row.
std::string exemplar_digest(const NewExemplar& exemplar) {
  const auto value = std::bit_cast<std::uint64_t>(exemplar.sample.value);
  std::string text;
  for (unsigned shift = 0; shift < 64; shift += 8)
    text += static_cast<char>(value >> shift & 0xFFU);
  return digest_of(text + exemplar.label_bytes);
}

}  // namespace

/// What is read of one series.
struct CassandraExemplars::Walk {
  const CustomerId& customer;
  SeriesId series;
  const ExemplarRange& range;
  const WorkLimit& limit;
};

Result<void> CassandraExemplars::prepare(Preparation& preparation) {
  write_day_ = preparation.prepare_row(
      "INSERT INTO {}.exemplar_days (customer_id, day) VALUES (?, ?) USING TTL ?");
  write_hour_ = preparation.prepare_row(
      "INSERT INTO {}.exemplar_hours (customer_id, day, series_id, hour) VALUES (?, ?, ?, ?) USING "
      "TTL ?");
  write_ = preparation.prepare_row(
      "INSERT INTO {}.exemplars (customer_id, series_id, hour, time_ms, digest, value_bits, "
      "labels) "
      "VALUES (?, ?, ?, ?, ?, ?, ?) USING TTL ?");
  list_days_ = preparation.prepare(
      "SELECT day FROM {}.exemplar_days WHERE customer_id = ? AND day >= ? AND day <= ?");
  list_hours_ = preparation.prepare(
      "SELECT hour FROM {}.exemplar_hours WHERE customer_id = ? AND day = ? AND series_id = ?");
  list_day_hours_ = preparation.prepare(
      "SELECT series_id, hour FROM {}.exemplar_hours WHERE customer_id = ? AND day = ? AND "
      "series_id "
      ">= ? AND series_id <= ?");
  read_ = preparation.prepare(
      "SELECT time_ms, value_bits, labels, key_id FROM {}.exemplars WHERE customer_id = ? AND "
      "series_id = ? AND hour = ? AND time_ms >= ? AND time_ms <= ?");
  list_customers_ = preparation.prepare("SELECT DISTINCT customer_id FROM {}.exemplar_days");
  forget_days_ =
      preparation.prepare("DELETE FROM {}.exemplar_days WHERE customer_id = ? AND day < ?");
  return preparation.outcome();
}

// What lists a row is written with it: where one of them is missing the caller is told, and puts
// all of them again or lets them go.
Result<void> CassandraExemplars::put(const CustomerId& customer,
                                     std::span<const NewExemplar> exemplars) {
  const std::int32_t live = keeps_.live_seconds_of_exemplars(customer);
  std::set<std::int32_t> days;
  std::set<std::pair<std::int64_t, std::int32_t>> hours;
  Requests requests(session_, customer.text());
  for (const NewExemplar& exemplar : exemplars) {
    const std::int32_t hour = hour_of(exemplar.sample.timestamp_ms);
    days.insert(hour / kHoursOfDay);
    hours.emplace(bits(exemplar.series), hour);
    const std::string digest = exemplar_digest(exemplar);
    BoundCells cells;
    cells.add_text(customer.text()).add_bigint(bits(exemplar.series)).add_int(hour);
    cells.add_bigint(exemplar.sample.timestamp_ms).add_blob(digest);
    cells.add_bigint(std::bit_cast<std::int64_t>(exemplar.sample.value));
    cells.add_blob(exemplar.label_bytes).add_int(live);
    requests.add(*write_, cells);
  }
  for (const auto& [series, hour] : hours) {
    BoundCells cells;
    cells.add_text(customer.text()).add_int(hour / kHoursOfDay).add_bigint(series).add_int(hour);
    cells.add_int(live);
    requests.add(*write_hour_, cells);
  }
  for (const std::int32_t day : days) {
    BoundCells cells;
    cells.add_text(customer.text()).add_int(day).add_int(live);
    requests.add(*write_day_, cells);
  }
  auto put = requests.wait_for_all();  // also after an error some of them may be there
  if (!days.empty()) looks_.note(customer, static_cast<std::uint32_t>(*days.begin()));
  return put;
}

std::int32_t CassandraExemplars::first_kept(const CustomerId& customer, std::int32_t day) {
  return std::max(day, day_column(kept_.day(customer, kExemplarKind)));
}

Result<std::vector<std::int32_t>> CassandraExemplars::days_of(std::string_view customer,
                                                              std::int32_t first, std::int32_t last,
                                                              const WorkLimit& limit) {
  std::vector<std::int32_t> days;
  BoundCells cells;
  cells.add_text(customer).add_int(first).add_int(last);
  Rows rows(session_, *list_days_, std::move(cells), customer);
  for (;;) {
    if (auto checked = limit.check(); !checked) return forward(checked);
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return days;
    days.push_back((*row)->read_int());
  }
}

Result<std::vector<SeriesId>> CassandraExemplars::having(const CustomerId& customer,
                                                         std::span<const SeriesId> series,
                                                         const ExemplarRange& range,
                                                         const WorkLimit& limit) {
  std::vector<SeriesId> found;
  if (series.empty() || range.to_ms < range.from_ms) return found;
  const std::int32_t first = hour_of(range.from_ms);
  const std::int32_t last = hour_of(range.to_ms);
  const auto days = days_of(customer.text(), first_kept(customer, first / kHoursOfDay),
                            last / kHoursOfDay, limit);
  if (!days) return forward(days);
  std::set<SeriesId> having;
  for (const std::int32_t day : *days) {
    BoundCells cells;
    cells.add_text(customer.text()).add_int(day);
    cells.add_bigint(bits(series.front())).add_bigint(bits(series.back()));
    Rows rows(session_, *list_day_hours_, std::move(cells), customer.text());
    for (;;) {
      if (auto checked = limit.check(); !checked) return forward(checked);
      auto row = rows.next();
      if (!row) return forward(row);
      if (!*row) break;
      const SeriesId id{static_cast<std::uint64_t>((*row)->read_bigint())};
      const std::int32_t hour = (*row)->read_int();
      if (hour < first || hour > last) continue;
      if (std::binary_search(series.begin(), series.end(), id)) having.insert(id);
    }
  }
  found.assign(having.begin(), having.end());
  return found;
}

Result<void> CassandraExemplars::read(const CustomerId& customer, SeriesId series,
                                      const ExemplarRange& range, const Visit& visit,
                                      const WorkLimit& limit) {
  if (range.to_ms < range.from_ms) return {};
  const Walk walk{customer, series, range, limit};
  const auto days =
      days_of(customer.text(), first_kept(customer, hour_of(range.from_ms) / kHoursOfDay),
              hour_of(range.to_ms) / kHoursOfDay, limit);
  if (!days) return forward(days);
  for (const std::int32_t day : *days) {
    const auto hours = hours_of(walk, day);
    if (!hours) return forward(hours);
    for (const std::int32_t hour : *hours) {
      const auto goes_on = read_hour(walk, hour, visit);
      if (!goes_on) return forward(goes_on);
      if (!*goes_on) return {};
    }
  }
  return {};
}

Result<std::vector<std::int32_t>> CassandraExemplars::hours_of(const Walk& walk, std::int32_t day) {
  std::vector<std::int32_t> hours;
  BoundCells cells;
  cells.add_text(walk.customer.text()).add_int(day).add_bigint(bits(walk.series));
  Rows rows(session_, *list_hours_, std::move(cells), walk.customer.text());
  for (;;) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return hours;
    const std::int32_t hour = (*row)->read_int();
    const bool is_asked = hour >= hour_of(walk.range.from_ms) && hour <= hour_of(walk.range.to_ms);
    if (is_asked) hours.push_back(hour);
  }
}

// False where no more are wanted.
Result<bool> CassandraExemplars::read_hour(const Walk& walk, std::int32_t hour,
                                           const Visit& visit) {
  BoundCells cells;
  cells.add_text(walk.customer.text()).add_bigint(bits(walk.series)).add_int(hour);
  cells.add_bigint(walk.range.from_ms).add_bigint(walk.range.to_ms);
  Rows rows(session_, *read_, std::move(cells), walk.customer.text());
  for (;;) {
    if (auto checked = walk.limit.check(); !checked) return forward(checked);
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return true;
    StoredExemplar exemplar;
    exemplar.sample.timestamp_ms = (*row)->read_bigint();
    exemplar.sample.value = std::bit_cast<double>((*row)->read_bigint());
    exemplar.label_bytes = (*row)->read_blob();
    if (!take_no_key(**row) || !(*row)->ok() || !decode_labels(exemplar.label_bytes)) {
      ++damaged_;
      continue;
    }
    if (!visit(exemplar)) return false;
  }
}

Result<std::size_t> CassandraExemplars::expire(const ExpiryCuts& cuts) {
  const std::lock_guard lock(expire_mutex_);
  const CutDays cut_days = kept_.held_back(kExemplarKind, cuts);
  if (!looks_.begin(cut_days)) return 0U;
  std::vector<std::string> customers;
  Rows rows(session_, *list_customers_, {}, "");
  for (;;) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) break;
    std::string customer((*row)->read_text());
    if (looks_.is_due(customer)) customers.push_back(std::move(customer));
  }
  std::set<std::int32_t> gone;
  std::vector<std::string> whose;
  for (const std::string& customer : customers) {
    const auto days = days_of(customer, 0, day_column(cut_days.of(customer)) - 1, {});
    if (!days) return forward(days);
    gone.insert(days->begin(), days->end());
    if (!days->empty()) whose.push_back(customer);
  }
  if (auto raised = kept_.raise(kExemplarKind, cut_days); !raised) return forward(raised);
  Requests requests(session_, "");
  for (const std::string& customer : whose) {
    BoundCells cells;
    cells.add_text(customer).add_int(day_column(cut_days.of(customer)));
    requests.add(*forget_days_, cells);
  }
  if (auto forgotten = requests.wait_for_all(); !forgotten) return forward(forgotten);
  looks_.end();
  return gone.size();
}

}  // namespace vigia::storage::store::cassandra
