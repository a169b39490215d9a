#include "services/storage/store/rocksdb/index/series_index.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/random.hpp"
#include "services/storage/store/rocksdb/index/index_format.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/label_codec.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

// Of memory_max: label values have two maps of a sixteenth, series the rest. 64 MiB are 1.3 M
// series and 98,000 values in each map.
constexpr std::size_t kValuesPart = 16;

std::string number_value(std::uint64_t value) {
  std::string bytes;
  append_u64(bytes, value);
  return bytes;
}

Result<std::uint64_t> read_number(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint64_t value = reader.read_u64();
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "cold store: a damaged number in the index");
  return value;
}

// The row of one that is not new was lost: on which days it had samples before, nobody knows.
DayRange days_of_new_row(const UnresolvedSeries& series) {
  return {series.is_new ? series.days.first : 0, series.days.last};
}

}  // namespace

SeriesIndex::SeriesIndex(Key /*key*/, kv::OrderedStore& store, std::size_t memory_max)
    : store_(store), memory_max_(memory_max) {
  set_short(false);
}

Result<std::unique_ptr<SeriesIndex>> SeriesIndex::open(kv::OrderedStore& store,
                                                       std::size_t memory_max) {
  auto index = std::make_unique<SeriesIndex>(Key{}, store, memory_max);
  if (auto loaded = index->load(); !loaded) return forward(loaded);
  return index;
}

Result<void> SeriesIndex::create(std::string& format, std::string& seed) {
  format = kFormatVersion;
  seed = number_value(random_u64());
  std::vector<kv::KeyValue> writes;
  for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
    writes.push_back({family, std::string(index_key::kFormat), format});
    writes.push_back({family, std::string(index_key::kSeed), seed});
  }
  return store_.put(writes, kv::Durability::kNow);
}

Result<void> SeriesIndex::load() {
  if (auto known = load_identity(); !known) return known;
  if (auto loaded = load_customers(); !loaded) return loaded;
  const auto healing = store_.get(kv::Family::kIndex, index_key::kHeal);
  if (!healing) return forward(healing);
  has_lost_rows_ = healing->has_value();
  repairs_seen_ = store_.repairs();
  if (has_lost_rows_ && **healing == "1") {
    if (auto healed = heal(); !healed) return healed;
  } else if (auto put = put_identity(); !put) {
    return put;
  }
  repairs_at_open_ = repairs_seen_;
  repairs_healed_ = repairs_seen_;
  return {};
}

// Format, seed and the next number, of the two copies that there are.
Result<void> SeriesIndex::load_identity() {
  std::string values[3];
  const std::string_view keys[3] = {index_key::kFormat, index_key::kSeed, index_key::kNextSeries};
  for (std::size_t i = 0; i < 3; ++i) {
    auto value = read_identity(keys[i]);
    if (!value) return forward(value);
    values[i] = value->value_or("");
  }
  if (values[0].empty() || values[1].empty()) {
    if (auto created = create(values[0], values[1]); !created) return created;
  }
  if (auto renewed = renew_format(values[0]); !renewed) return renewed;
  const auto seed = read_number(values[1]);
  const auto next = values[2].empty() ? Result<std::uint64_t>(1) : read_number(values[2]);
  if (!seed || !next) return tl::unexpected<Error>(seed ? next.error() : seed.error());
  seed_ = *seed;
  const auto copy = store_.get(kv::Family::kIdentity, index_key::kNextSeries);
  if (!copy) return forward(copy);
  const auto copied = copy->has_value() ? read_number(**copy) : Result<std::uint64_t>(1);
  next_id_ = std::max(*next, copied.value_or(1));
  return {};
}

// An older format is renewed before the first row that an older program does not know: it must
// refuse it.
Result<void> SeriesIndex::renew_format(const std::string& format) {
  if (format == kFormatVersion) return {};
  if (!is_known_format(format)) {
    return fail(
        ErrorCode::kCorrupt,
        fmt::format("cold store: its format is \"{}\", known is \"{}\"", format, kFormatVersion));
  }
  // Both copies: whichever is left says what an older program must refuse.
  const std::string key(index_key::kFormat);
  const std::string value(kFormatVersion);
  return store_.put({{kv::Family::kIndex, key, value}, {kv::Family::kIdentity, key, value}},
                    kv::Durability::kNow);
}

Result<customers::CustomerNumber> SeriesIndex::number_of(const CustomerId& customer) {
  if (const auto known = find_customer(customer)) return *known;
  const std::unique_lock lock(customers_mutex_);
  if (const auto at = customers_.find(customer); at != customers_.end()) return at->second;
  const customers::CustomerNumber number{last_number_ + 1};
  const std::string key = index_key::customer(customer.text());
  const std::string value = number_value(number.value);
  const std::string last(index_key::kLastCustomer);
  const auto put = store_.put({{kv::Family::kIndex, key, value},
                               {kv::Family::kIdentity, key, value},
                               {kv::Family::kIndex, last, value},
                               {kv::Family::kIdentity, last, value}},
                              kv::Durability::kNow);
  if (!put) return forward(put);
  last_number_ = number.value;
  customers_.emplace(customer, number);
  return number;
}

std::optional<customers::CustomerNumber> SeriesIndex::find_customer(
    const CustomerId& customer) const {
  const std::shared_lock lock(customers_mutex_);
  const auto at = customers_.find(customer);
  if (at == customers_.end()) return std::nullopt;
  return at->second;
}

std::optional<CustomerId> SeriesIndex::id_of(customers::CustomerNumber number) const {
  const std::shared_lock lock(customers_mutex_);
  for (const auto& [id, known] : customers_) {
    if (known == number) return id;
  }
  return std::nullopt;
}

std::vector<Customer> SeriesIndex::customers() const {
  const std::shared_lock lock(customers_mutex_);
  std::vector<Customer> all;
  for (const auto& [id, number] : customers_) all.push_back({id, number});
  return all;
}

std::uint64_t SeriesIndex::seed_of(customers::CustomerNumber customer) const {
  // An odd multiplier keeps customers apart under the one seed.
  return seed_ + customer.value * 0x9e3779b97f4a7c15ULL;
}

LabelsHash SeriesIndex::hash(customers::CustomerNumber customer,
                             std::string_view label_bytes) const {
  return hash_labels(seed_of(customer), label_bytes);
}

std::optional<KnownSeries> SeriesIndex::find(const LabelsHash& wire_hash) const {
  const Shard& shard = shards_[wire_hash.high % kShards];
  const std::lock_guard lock(shard.mutex);
  return shard.ids.find(wire_hash);
}

void SeriesIndex::remember(const UnresolvedSeries& series, const DayRange& days) {
  Shard& shard = shards_[series.wire_hash.high % kShards];
  const std::lock_guard lock(shard.mutex);
  shard.ids.insert(series.customer.value, series.wire_hash, {series.id, days});
}

std::size_t SeriesIndex::values_max() const {
  return (is_short_ ? memory_max_ / 2 : memory_max_) / kValuesPart;
}

std::size_t SeriesIndex::ids_max() const { return values_max() * (kValuesPart - 2) / kShards; }

// Whoever holds create_mutex_ may wait for a disk: then the values follow with the next writer.
void SeriesIndex::set_short(bool is_short) {
  is_short_ = is_short;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    shard.ids.set_bytes_max(ids_max());
  }
  const std::unique_lock lock(create_mutex_, std::try_to_lock);
  if (lock.owns_lock()) bound_values();
}

void SeriesIndex::bound_values() {
  known_values_.set_bytes_max(values_max());
  value_days_.set_bytes_max(values_max());
  value_bytes_ = known_values_.memory_bytes() + value_days_.memory_bytes();
}

void SeriesIndex::forget_days() {
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    shard.ids.forget_days();
  }
}

std::uint64_t SeriesIndex::memory_bytes() const {
  std::uint64_t bytes = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    bytes += shard.ids.memory_bytes();
  }
  return bytes + value_bytes_;
}

Result<std::optional<store::SeriesId>> SeriesIndex::find_stored(const LabelsHash& hash) const {
  auto value = store_.get(kv::Family::kIndex, index_key::hash(hash));
  if (!value) return forward(value);
  if (!value->has_value()) return std::optional<store::SeriesId>();
  const auto id = read_number(**value);
  if (!id) return tl::unexpected<Error>(id.error());
  return std::optional<store::SeriesId>(store::SeriesId{*id});
}

Result<void> SeriesIndex::resolve(std::vector<UnresolvedSeries>& series) {
  if (auto healed = heal_customers(series); !healed) return healed;
  const std::lock_guard lock(create_mutex_);
  std::unordered_map<std::string, store::SeriesId> created;  // a request may name a series twice
  NewRows rows;
  std::uint64_t next = next_id_;
  for (UnresolvedSeries& one : series) {
    const LabelsHash stored_hash = hash(one.customer, encode_labels(one.labels));
    const std::string key = index_key::hash(stored_hash);
    if (const auto at = created.find(key); at != created.end()) {
      one.id = at->second;
      continue;
    }
    auto stored = find_stored(stored_hash);
    if (!stored) return forward(stored);
    if (stored->has_value()) {
      one.id = **stored;
      if (!has_lost_rows_) continue;
      const auto is_there = has_series_row(one);
      if (!is_there) return forward(is_there);
      if (*is_there) continue;
      if (auto added = add_rows(one, key, rows); !added) return added;
      continue;
    }
    one.id = store::SeriesId{next++};
    one.is_new = true;
    created.emplace(key, one.id);
    if (auto added = add_rows(one, key, rows); !added) return added;
  }
  if (!rows.writes.empty()) {
    for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
      rows.writes.push_back({family, std::string(index_key::kNextSeries), number_value(next)});
    }
    if (auto put = store_.put(rows.writes, kv::Durability::kNow); !put) return put;
    remember_values(rows);
    next_id_ = next;
  }
  for (const UnresolvedSeries& one : series) remember(one, kNoDays);
  return {};
}

// Where its days are told they need not be noted in a second write.
std::string SeriesIndex::series_row(const UnresolvedSeries& series) {
  std::string labels = encode_labels(series.labels);
  if (series.days == kNoDays) return labels;
  return encode_series_row(days_of_new_row(series), labels);
}

// A label value counts as known only once its row is on disk: an error between would leave it out
// of the lists for ever.
Result<void> SeriesIndex::add_rows(const UnresolvedSeries& series, const std::string& hash_key,
                                   NewRows& rows) {
  rows.writes.push_back({kv::Family::kIndex, hash_key, number_value(series.id.value)});
  rows.writes.push_back({kv::Family::kIndex,
                         index_key::series(series.customer, series.labels.metric_name(), series.id),
                         series_row(series)});
  rows.writes.push_back({kv::Family::kIdentity, index_key::copy(series.customer, series.id),
                         encode_labels(series.labels)});
  return add_value_rows(series, rows);
}

void SeriesIndex::remember_values(const NewRows& rows) {
  for (const NewRows::Value& value : rows.noted_values) {
    known_values_.insert(value.customer.value, value.hash, {kKnownValue});
    if (value.days != kAllDays) {
      value_days_.insert(value.customer.value, value.hash, {kKnownValue, value.days});
    }
  }
  bound_values();
}

// A row that is there has days, which other series brought: it stays as it is.
Result<void> SeriesIndex::add_value_rows(const UnresolvedSeries& series, NewRows& rows) {
  for (const Label& label : series.labels) {
    std::string key = index_key::label_value(series.customer, label.name, label.value);
    const LabelsHash value_hash = hash(series.customer, key);
    const bool is_known =
        known_values_.find(value_hash).has_value() || rows.values.find(value_hash).has_value();
    if (is_known) continue;
    const auto row = store_.get(kv::Family::kIndex, key);
    if (!row) return forward(row);
    DayRange days = kAllDays;
    if (row->has_value()) {
      days = days_of_value(**row);
    } else {
      const bool has_days = series.days != kNoDays;
      if (has_days) days = days_of_new_row(series);
      rows.writes.push_back(
          {kv::Family::kIndex, std::move(key), has_days ? encode_value_row(days) : ""});
    }
    rows.values.insert(series.customer.value, value_hash, {kKnownValue});
    rows.noted_values.push_back({series.customer, value_hash, days});
  }
  return {};
}

}  // namespace vigia::storage::store::rocksdb::index
