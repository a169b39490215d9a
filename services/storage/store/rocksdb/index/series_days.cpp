// SeriesIndex: on which days series had samples, and forgetting those that are over.
#include <algorithm>

#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/label_codec.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

// Looked at with one hold of the lock that new series wait for.
constexpr std::size_t kSeriesAtOnce = 500;
constexpr char kSeriesRow = 's';

// The last day that a row of either kind names.
std::uint32_t last_day(std::string_view key, std::string_view value, std::uint32_t unknown) {
  if (key.front() == kSeriesRow) {
    const DayRange days = days_of_row(value);
    return days == kNoDays ? unknown : days.last;
  }
  const DayRange days = days_of_value(value);
  return days == kAllDays ? unknown : days.last;
}

}  // namespace

Result<void> SeriesIndex::note_days(const std::vector<UnresolvedSeries>& series) {
  for (std::size_t first = 0; first < series.size(); first += kSeriesAtOnce) {
    const std::size_t end = std::min(first + kSeriesAtOnce, series.size());
    const std::lock_guard lock(create_mutex_);
    const auto noted = note_days_of_some(series.data() + first, series.data() + end);
    if (!noted) {
      value_days_.clear();  // some of the rows may not be there
      return noted;
    }
    bound_values();
  }
  return {};
}

// Days count as known once their rows are on disk.
Result<void> SeriesIndex::note_days_of_some(const UnresolvedSeries* first,
                                            const UnresolvedSeries* end) {
  NotedDays noted;
  std::vector<kv::KeyValue> writes;
  for (const UnresolvedSeries* one = first; one != end; ++one) {
    if (one->days == kNoDays) continue;
    if (auto done = note_days_of(*one, noted, writes); !done) return done;
  }
  if (!writes.empty()) {
    if (auto put = store_.put(writes, kv::Durability::kNow); !put) return put;
  }
  for (const UnresolvedSeries* one = first; one != end; ++one) {
    if (one->days != kNoDays) remember(*one, noted.at(one->id.value));
  }
  return {};
}

// The row is asked, not memory: a series may be known by labels in several orders, of which each
// may know of some of its days alone, and a row written anew must not lose one.
Result<void> SeriesIndex::note_days_of(const UnresolvedSeries& series, NotedDays& noted,
                                       std::vector<kv::KeyValue>& writes) {
  std::string key = index_key::series(series.customer, series.labels.metric_name(), series.id);
  const auto [at, is_first] = noted.try_emplace(series.id.value, kNoDays);
  DayRange& known = at->second;
  if (is_first) {
    const auto row = store_.get(kv::Family::kIndex, key);
    if (!row) return forward(row);
    if (row->has_value()) known = days_of_row(**row);
    // Of an older version, or its row was lost: it may have had samples on any day before.
    if (known == kNoDays && !series.is_new) known = {0, 0};
  }
  if (known.contains(series.days)) {
    return series.is_new ? note_values(series, writes) : Result<void>();
  }
  known = joined(known, series.days);
  writes.push_back(
      {kv::Family::kIndex, std::move(key), encode_series_row(known, encode_labels(series.labels))});
  return note_values(series, writes);
}

// Most of a series' values have seen its day by other series: memory says so, else the row. What an
// earlier program wrote tells no first day, and nobody knows it any more.
Result<void> SeriesIndex::note_values(const UnresolvedSeries& series,
                                      std::vector<kv::KeyValue>& writes) {
  for (const Label& label : series.labels) {
    std::string key = index_key::label_value(series.customer, label.name, label.value);
    const LabelsHash value_hash = hash(series.customer, key);
    const auto known = value_days_.find(value_hash);
    DayRange days = known.has_value() ? known->days : kNoDays;
    if (days == kNoDays) {
      const auto row = store_.get(kv::Family::kIndex, key);
      if (!row) return forward(row);
      if (row->has_value()) days = days_of_value(**row);
      if (days == kAllDays) days = {0, 0};
    }
    const bool is_noted = days.contains(series.days);
    days = joined(days, series.days);
    value_days_.insert(series.customer.value, value_hash, {kKnownValue, days});
    if (is_noted) continue;
    writes.push_back({kv::Family::kIndex, std::move(key), encode_value_row(days)});
  }
  return {};
}

Result<std::size_t> SeriesIndex::expire(const ExpiryCuts& cuts, TimestampMs now_ms) {
  std::map<customers::CustomerNumber, std::uint32_t> due;
  std::uint32_t latest = 0;
  for (const Customer& customer : customers()) {
    const std::uint32_t cut = day_of(std::max<TimestampMs>(cuts.of(customer.id), 0));
    if (cut <= expired_until(customer.number)) {
      // He is kept longer now: what comes of these days is to be found again.
      const std::lock_guard lock(expired_mutex_);
      const auto known = expired_until_.find(customer.number);
      if (known != expired_until_.end()) known->second = cut;
      continue;
    }
    due.emplace(customer.number, cut);
    latest = std::max(latest, cut);
  }
  if (due.empty()) return 0;
  // Before the rows go, so that whoever comes again is resolved anew. Of those who keep longer some
  // is forgotten too early, which costs a look at the store.
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    shard.ids.forget_before(latest);
  }
  {
    const std::lock_guard lock(create_mutex_);
    value_days_.forget_before(latest);
  }
  std::size_t series = 0;
  for (const auto& [customer, cut] : due) {
    const auto gone = expire_of(customer, cut, day_of(now_ms));
    if (!gone) return gone;
    series += *gone;
  }
  return series;
}

Result<std::size_t> SeriesIndex::expire_of(customers::CustomerNumber customer, std::uint32_t cut,
                                           std::uint32_t today) {
  if (store_.repairs() != repairs_at_open_) {  // whoever has brought no new series since
    if (auto healed = heal_customer_rows(customer); !healed) return forward(healed);
  }
  const auto series = expire_rows(index_key::all_series(customer), cut, today);
  if (!series) return series;
  const auto values = expire_rows(index_key::all_labels(customer), cut, today);
  if (!values) return values;
  const std::lock_guard lock(expired_mutex_);
  expired_until_[customer] = cut;
  return series;
}

std::uint32_t SeriesIndex::expired_until(customers::CustomerNumber customer) const {
  const std::lock_guard lock(expired_mutex_);
  const auto found = expired_until_.find(customer);
  return found == expired_until_.end() ? 0 : found->second;
}

// A series goes on and its first days do not: its row is not written anew each day for that.
DayRange SeriesIndex::without_expired(customers::CustomerNumber customer,
                                      const DayRange& days) const {
  constexpr DayRange kNone{UINT32_MAX, 0};
  const std::uint32_t first = std::max(days.first, expired_until(customer));
  return first <= days.last ? DayRange{first, days.last} : kNone;
}

// What the walk sees may have been noted anew meanwhile: expire_some looks again, with the lock.
Result<std::size_t> SeriesIndex::expire_rows(const std::string& prefix, std::uint32_t cut,
                                             std::uint32_t today) {
  std::size_t gone = 0;
  std::vector<std::string> keys;
  const auto scan = store_.scan(kv::Family::kIndex, prefix, kv::after_prefix(prefix));
  while (scan->next()) {
    const std::uint32_t last = last_day(scan->key(), scan->value(), 0);
    if (last >= cut) continue;
    keys.emplace_back(scan->key());
    if (keys.size() < kSeriesAtOnce) continue;
    const auto some = expire_some(keys, cut, today);
    if (!some) return some;
    gone += *some;
    keys.clear();
  }
  if (auto status = scan->status(); !status) return forward(status);
  const auto some = expire_some(keys, cut, today);
  if (!some) return some;
  return gone + *some;
}

Result<std::size_t> SeriesIndex::expire_some(const std::vector<std::string>& keys,
                                             std::uint32_t cut, std::uint32_t today) {
  const std::lock_guard lock(create_mutex_);
  std::size_t gone = 0;
  std::vector<kv::KeyValue> writes;
  for (const std::string& key : keys) {
    const bool is_series = key.front() == kSeriesRow;
    const auto row = store_.get(kv::Family::kIndex, key);
    if (!row) return forward(row);
    if (!row->has_value()) continue;
    const std::uint32_t last = last_day(key, **row, UINT32_MAX);
    if (last == UINT32_MAX) {  // of an older version: its time begins now
      writes.push_back(
          {kv::Family::kIndex, key,
           is_series ? encode_series_row({0, today}, **row) : encode_value_row({0, today})});
      continue;
    }
    if (last >= cut) continue;
    writes.push_back({kv::Family::kIndex, key, "", true});
    if (!is_series) continue;
    if (auto forgotten = forget_series(key, **row, writes); !forgotten) return forward(forgotten);
    ++gone;
  }
  if (writes.empty()) return gone;
  if (auto put = store_.put(writes, kv::Durability::kNow); !put) return forward(put);
  return gone;
}

// Its number is never given out again.
Result<void> SeriesIndex::forget_series(std::string_view key, std::string_view row,
                                        std::vector<kv::KeyValue>& writes) {
  const auto labels = decode_label_views(row);
  if (!labels) return forward(labels);
  std::string_view rest = key.substr(1);
  bool ok = true;
  const customers::CustomerNumber customer{kv::take_key_u32(rest, ok)};
  std::string_view id = key.substr(key.size() - sizeof(std::uint64_t));
  const store::SeriesId series{kv::take_key_u64(id, ok)};
  const LabelsHash labels_hash = hash(customer, encode_labels(to_labels(*labels)));
  const auto stored = find_stored(labels_hash);
  if (!stored) return forward(stored);
  // Only its own: labels that came back since have another number by now.
  if (*stored == series) {
    writes.push_back({kv::Family::kIndex, index_key::hash(labels_hash), "", true});
  }
  writes.push_back({kv::Family::kIdentity, index_key::copy(customer, series), "", true});
  return {};
}

}  // namespace vigia::storage::store::rocksdb::index
