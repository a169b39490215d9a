// CassandraCatalog: labels to ids.
#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "services/storage/store/cassandra/catalog.hpp"
#include "services/storage/store/cassandra/value_parts.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

// Resolved together, so that memory goes by this and not by the request.
constexpr std::size_t kTogether = 512;
constexpr SeriesId kNoted{1};  // of a row of labels: it has no id
// Some 400 bytes a row: with restarts and several instances, of which each counts for itself, a
// partition stays below 100 MB.
constexpr std::size_t kSeriesOfPart = 50'000;
constexpr std::size_t kPartsKnownMax = 20'000;
constexpr std::size_t kValueRowBytes = 60;  // beside the value

std::int64_t column(SeriesId id) { return static_cast<std::int64_t>(id.value); }

LabelsHash text_hash(std::uint64_t seed, char kind, std::string_view name, std::string_view value) {
  std::string bytes(1, kind);
  bytes.append(name).push_back('\0');
  return hash_labels(seed, bytes.append(value));
}

}  // namespace

/// One series of a request, however often it stands there.
struct CassandraCatalog::Resolving {
  std::vector<NewSeries*> wanted;
  std::string label_bytes;
  std::string metric;  // key_text
  DayRange days = kNoDays;
  SeriesIdentity identity;
  std::uint32_t choice = 0;
  Shard shard;
  bool is_placed = false;
  bool is_new = false;
};

Result<void> CassandraCatalog::resolve(const CustomerId& customer, std::vector<NewSeries>& series) {
  auto known = customer_of(customer);
  if (!known) return forward(known);
  for (std::size_t begin = 0; begin < series.size(); begin += kTogether) {
    const std::size_t count = std::min(kTogether, series.size() - begin);
    auto resolved = resolve_some(customer, *known, std::span(series).subspan(begin, count));
    if (!resolved) return resolved;
  }
  return {};
}

Result<void> CassandraCatalog::resolve_some(const CustomerId& customer, const Customer& known,
                                            std::span<NewSeries> series) {
  std::vector<Resolving> resolving;
  std::unordered_map<std::string, std::size_t> places;
  for (NewSeries& one : series) {
    std::string bytes = encode_labels(one.labels);
    const auto [at, is_first] = places.try_emplace(bytes, resolving.size());
    if (is_first) {
      Resolving& made = resolving.emplace_back();
      made.label_bytes = std::move(bytes);
      made.metric = key_text(one.labels.metric_name());
    }
    Resolving& of = resolving[at->second];
    of.wanted.push_back(&one);
    of.days = joined(of.days, one.days);
  }
  for (Resolving& one : resolving) {
    // What has no days may have samples on any day so far.
    if (one.days == kNoDays) one.days = {0, day_of(clock_.wall_ms())};
  }
  if (auto placed = place(customer, resolving); !placed) return placed;
  return write(customer, known, resolving);
}

// Each series takes the first of its ids that is no other's: nearly always the first of all.
Result<void> CassandraCatalog::place(const CustomerId& customer, std::vector<Resolving>& series) {
  while (true) {
    std::vector<Resolving*> open;
    for (Resolving& one : series) {
      if (one.is_placed) continue;
      if (one.choice == kIdChoices) {
        return fail(ErrorCode::kInternal, fmt::format("all ids of series {} are others'",
                                                      to_string(one.wanted.front()->labels)));
      }
      one.identity = identity_of(customer, one.label_bytes, one.choice, secret_);
      open.push_back(&one);
    }
    if (open.empty()) return {};
    std::vector<Resolving*> unclaimed;
    if (auto looked = look_up(customer, open, unclaimed); !looked) return looked;
    if (auto claimed = claim(customer, unclaimed); !claimed) return claimed;
  }
}

Result<void> CassandraCatalog::look_up(const CustomerId& customer, std::vector<Resolving*>& open,
                                       std::vector<Resolving*>& unclaimed) {
  Requests requests(session_, customer.text());
  for (const Resolving* one : open) {
    BoundCells key;
    key.add_text(customer.text()).add_bigint(column(one->identity.id));
    requests.add(*statements_.read_id, key);
  }
  auto pages = requests.wait();
  for (std::size_t i = 0; i < open.size(); ++i) {
    Resolving& one = *open[i];
    if (!pages[i]) return forward(pages[i]);
    if (pages[i]->rows() == 0) {
      unclaimed.push_back(&one);
      continue;
    }
    RowReader row = pages[i]->row(0);
    const bool is_own = row.read_blob() == one.identity.fingerprint;
    (void)row.read_text();
    one.shard.number = row.read_int();
    if (!row.ok()) return malformed_row("series_ids");
    one.is_placed = is_own;
    one.choice += is_own ? 0 : 1;
  }
  return {};
}

Result<void> CassandraCatalog::claim(const CustomerId& customer,
                                     std::vector<Resolving*>& unclaimed) {
  Requests requests(session_, customer.text());
  for (Resolving* one : unclaimed) {
    const auto parts = parts_for(customer, one->metric);
    if (!parts) return forward(parts);
    one->shard = shard_of(one->identity.id, *parts);
    BoundCells cells;
    cells.add_bigint(column(one->identity.id)).add_blob(one->identity.fingerprint);
    cells.add_int(one->shard.number);
    requests.add(*statements_.claim, cells);
  }
  auto pages = requests.wait();
  std::vector<Resolving*> taken;
  for (std::size_t i = 0; i < unclaimed.size(); ++i) {
    if (!pages[i]) return forward(pages[i]);
    // The first column of the answer says whether it was applied.
    const bool is_applied = pages[i]->rows() == 1 && pages[i]->row(0).read_tinyint() == 1;
    Resolving& one = *unclaimed[i];
    one.is_new = true;  // also where it was there, and was forgotten
    one.is_placed = is_applied;
    if (!is_applied) taken.push_back(&one);
  }
  return read_claims(taken);
}

/// Claims of somebody before: perhaps of the same series, which has expired or was not written.
Result<void> CassandraCatalog::read_claims(std::vector<Resolving*>& taken) {
  Requests requests(session_, "");
  for (const Resolving* one : taken) {
    BoundCells key;
    key.add_bigint(column(one->identity.id));
    requests.add(*statements_.read_claim, key);
  }
  auto pages = requests.wait();
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (!pages[i]) return forward(pages[i]);
    if (pages[i]->rows() == 0) {
      return fail(ErrorCode::kUnavailable, "a series that is being made is not there yet");
    }
    RowReader row = pages[i]->row(0);
    Resolving& one = *taken[i];
    one.is_placed = row.read_blob() == one.identity.fingerprint;
    one.shard.number = row.read_int();
    if (!row.ok()) return malformed_row("series_claims");
    one.choice += one.is_placed ? 0 : 1;
  }
  return {};
}

// What is not known is asked without the lock: nobody waits for another's question.
Result<std::int32_t> CassandraCatalog::parts_for(const CustomerId& customer,
                                                 const std::string& metric) {
  const CustomerAndMetric key(customer, metric);
  if (const auto known = count_in(key)) return *known;
  BoundCells cells;
  cells.add_text(customer.text()).add_text(metric);
  Rows rows(session_, *statements_.list_shards, std::move(cells), customer.text());
  MetricParts found;
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) break;
    (void)(*row)->read_text();
    found.parts = std::max(found.parts, parts_of({(*row)->read_int()}));
  }
  {
    const std::lock_guard lock(parts_mutex_);
    if (parts_.size() >= kPartsKnownMax) parts_.clear();
    parts_.emplace(key, found);
  }
  return count_in(key).value_or(found.parts);
}

/// One more series of the metric: over how many parts they lie.
std::optional<std::int32_t> CassandraCatalog::count_in(const CustomerAndMetric& key) {
  const std::lock_guard lock(parts_mutex_);
  const auto at = parts_.find(key);
  if (at == parts_.end()) return std::nullopt;
  MetricParts& parts = at->second;
  if (++parts.added > kSeriesOfPart * static_cast<std::size_t>(parts.parts) &&
      parts.parts < kPartsMax) {
    parts.parts *= 2;
    parts.added = 1;
  }
  return parts.parts;
}

void CassandraCatalog::write_series(const CustomerId& customer, const Resolving& one,
                                    Requests& requests) const {
  const std::int64_t id = column(one.identity.id);
  const std::int64_t time = last_day_time(one.days.last);
  BoundCells row;
  row.add_text(customer.text()).add_bigint(id).add_blob(one.identity.fingerprint);
  row.add_text(one.metric).add_int(one.shard.number).add_bigint(time);
  requests.add(*statements_.write_id, row);
  BoundCells series;
  series.add_text(customer.text()).add_text(one.metric).add_int(one.shard.number).add_bigint(id);
  series.add_blob(one.label_bytes).add_int(day_column(one.days.last)).add_bigint(time);
  requests.add(*statements_.write_series, series);
  BoundCells first;
  first.add_bigint(first_day_time(one.days.first)).add_int(day_column(one.days.first));
  first.add_text(customer.text()).add_text(one.metric).add_int(one.shard.number).add_bigint(id);
  requests.add(*statements_.write_first_day, first);
}

void CassandraCatalog::write_name(const CustomerId& customer, std::string_view name,
                                  const DayRange& days, Requests& requests) const {
  BoundCells row;
  row.add_text(customer.text()).add_text(name).add_int(day_column(days.last));
  row.add_bigint(last_day_time(days.last));
  requests.add(*statements_.write_name, row);
  BoundCells first;
  first.add_bigint(first_day_time(days.first)).add_int(day_column(days.first));
  first.add_text(customer.text()).add_text(name);
  requests.add(*statements_.write_name_first, first);
}

void CassandraCatalog::write_label(const CustomerId& customer, const LabelTexts& label,
                                   const DayRange& days, Requests& requests,
                                   std::vector<std::uint64_t>& noted) const {
  const auto& [name, value] = label;
  const EventPlace place{PlaceKind::kLabelValues, 0, name};
  const std::uint64_t hash = places_.hash_of(value);
  const Shard part = places_.shard_for(customer, place, hash, value.size() + kValueRowBytes);
  const std::string key = value_key(name, part);
  // The first part is always looked into.
  if (part != Shard{}) places_.write(customer, place, part, 0, requests, noted);
  BoundCells row;
  row.add_text(customer.text()).add_text(key).add_blob(value).add_int(day_column(days.last));
  row.add_bigint(last_day_time(days.last));
  requests.add(*statements_.write_value, row);
  BoundCells first;
  first.add_bigint(first_day_time(days.first)).add_int(day_column(days.first));
  first.add_text(customer.text()).add_text(key).add_blob(value);
  requests.add(*statements_.write_value_first, first);
}

/// What is known to be noted is not written again. What is written is noted as known only once all
/// of it is there: where one fails, whoever asks again writes all.
Result<void> CassandraCatalog::write(const CustomerId& customer, const Customer& known,
                                     std::vector<Resolving>& series) {
  std::map<LabelsHash, DayRange> noted;
  const auto is_to_write = [&](const LabelsHash& hash, const DayRange& days) {
    const auto [at, is_first] = noted.try_emplace(hash, kNoDays);
    if (is_first) {
      const std::lock_guard lock(known_mutex_);
      if (const auto before = texts_.find(hash)) at->second = before->days;
    }
    if (at->second != kNoDays && at->second.contains(days)) return false;
    at->second = joined(at->second, days);
    return true;
  };
  // What goes is deleted with the write time of its cut, behind which what comes now of days before
  // would vanish: of who is kept longer by now. So it is noted to be there until the cut.
  const std::uint32_t cut = kept_.latest_day(customer, kIndexKind);
  for (Resolving& one : series) {
    if (one.days != kNoDays) one.days.last = std::max(one.days.last, cut);
  }
  std::vector<std::uint64_t> rows;
  Requests requests(session_, customer.text());
  for (const Resolving& one : series) {
    write_series(customer, one, requests);
    const std::string shard = std::to_string(one.shard.number);
    if (is_to_write(text_hash(known.seed, 'm', one.metric, shard), one.days)) {
      BoundCells row;
      row.add_text(customer.text()).add_text(one.metric).add_int(one.shard.number);
      row.add_int(day_column(one.days.last)).add_bigint(last_day_time(one.days.last));
      requests.add(*statements_.write_metric, row);
    }
    for (const Label& label : one.wanted.front()->labels) {
      if (label.name.size() > kKeyTextMax) continue;
      if (is_to_write(text_hash(known.seed, 'n', label.name, ""), one.days)) {
        write_name(customer, label.name, one.days, requests);
      }
      if (label.value.size() > kValueMax) continue;
      if (is_to_write(text_hash(known.seed, 'v', label.name, label.value), one.days)) {
        write_label(customer, {label.name, label.value}, one.days, requests, rows);
      }
    }
  }
  if (auto written = requests.wait_for_all(); !written) return written;
  places_.noted().add(rows);
  const std::lock_guard lock(known_mutex_);
  for (const auto& [hash, days] : noted) texts_.insert(known.number, hash, {kNoted, days});
  for (const Resolving& one : series) {
    metrics_.insert(known.number, one.identity.id, one.metric);
    for (NewSeries* const wanted : one.wanted) {
      wanted->id = one.identity.id;
      wanted->is_new = one.is_new;
      const auto before = ids_.find(wanted->wire_hash);
      const DayRange days = before ? joined(before->days, one.days) : one.days;
      ids_.insert(known.number, wanted->wire_hash, {wanted->id, days});
    }
  }
  return {};
}

}  // namespace vigia::storage::store::cassandra
