// SeriesIndex: the second copy of what all rows depend on, and what is done after the store has
// lost rows. A number given twice would show one customer's samples to another.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/label_codec.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

// Numbers passed over after a loss. RocksDB's logs hold 1 GiB at most, a new series at least three
// rows of 50 bytes: 7 M series can be lost with them.
constexpr std::uint64_t kSeriesPassedOver = 1U << 24U;
constexpr std::uint32_t kCustomersPassedOver = 1U << 12U;
// Looked at with one hold of the lock that new series wait for.
constexpr std::size_t kSeriesAtOnce = 200;

std::string number_value(std::uint64_t value) {
  std::string bytes;
  append_u64(bytes, value);
  return bytes;
}

// Label values of one walk that are kept: some 4 MiB of either kind.
constexpr std::size_t kRestoredMax = 1U << 16U;

std::uint64_t number_of_value(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint64_t value = reader.read_u64();
  return reader.ok() ? value : 0;
}

}  // namespace

Result<customers::CustomerNumber> last_customer_number(kv::OrderedStore& store) {
  std::uint64_t last = 0;
  for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
    const auto row = store.get(family, index_key::kLastCustomer);
    if (!row) return tl::unexpected<Error>(row.error());
    const std::uint64_t number = number_of_value(row->value_or(""));
    if (number <= UINT32_MAX) last = std::max(last, number);
  }
  return customers::CustomerNumber{static_cast<std::uint32_t>(last)};
}

Result<std::optional<std::string>> SeriesIndex::read_identity(std::string_view key) const {
  auto value = store_.get(kv::Family::kIndex, key);
  if (!value || value->has_value()) return value;
  return store_.get(kv::Family::kIdentity, key);
}

// Whether the other's malformed rows cost nothing beside this one.
bool SeriesIndex::LoadedCustomers::makes_up_for(const LoadedCustomers& other) const {
  return std::all_of(other.malformed.begin(), other.malformed.end(), [&](const auto& customer) {
    if (customer.has_value()) return of.find(*customer) != of.end();
    return malformed.empty() && of.size() >= other.of.size() + other.malformed.size();
  });
}

std::vector<kv::KeyValue> SeriesIndex::customer_rows(const CustomerId& customer,
                                                     customers::CustomerNumber number) {
  const std::string key = index_key::customer(customer.text());
  const std::string value = number_value(number.value);
  return {{kv::Family::kIndex, key, value}, {kv::Family::kIdentity, key, value}};
}

// Each customer stands in two families: a malformed row costs nothing where the other is right. A
// number of which it cannot be told whose it is, is found again from its series: their labels say
// it. That this has to be done is on disk before a row goes.
Result<void> SeriesIndex::load_customers() {
  kv::MalformedRows malformed(store_, "a customer's row that is malformed", SIZE_MAX);
  auto index = read_customers(kv::Family::kIndex, malformed);
  if (!index) return forward(index);
  auto copy = read_customers(kv::Family::kIdentity, malformed);
  if (!copy) return forward(copy);
  const bool is_lost = !copy->makes_up_for(*index) || !index->makes_up_for(*copy);
  const auto last = last_customer_number(store_);
  if (!last) return tl::unexpected<Error>(last.error());
  const std::unique_lock lock(customers_mutex_);
  last_number_ = std::max(last_number_, last->value);
  customers_ = std::move(index->of);
  customers_.merge(copy->of);
  if (forget_doubtful_customers(malformed) || is_lost) {
    const kv::KeyValue mark{kv::Family::kIndex, std::string(index_key::kHeal), "1"};
    if (auto marked = store_.put({mark}, kv::Durability::kNow); !marked) return marked;
  }
  if (malformed.empty()) return {};
  malformed.set_aside();
  std::vector<kv::KeyValue> writes;
  for (const auto& [customer, number] : customers_) {
    for (kv::KeyValue& row : customer_rows(customer, number)) writes.push_back(std::move(row));
  }
  return store_.put(writes, kv::Durability::kNow);
}

// Of two customers with one number one would see the other's samples.
bool SeriesIndex::forget_doubtful_customers(kv::MalformedRows& malformed) {
  std::map<customers::CustomerNumber, std::vector<CustomerId>> owners;
  for (const auto& [customer, number] : customers_) owners[number].push_back(customer);
  bool is_any = false;
  for (const auto& [number, customers] : owners) {
    last_number_ = std::max(last_number_, number.value);
    if (customers.size() == 1) continue;
    is_any = true;
    for (const CustomerId& customer : customers) {
      customers_.erase(customer);
      for (kv::KeyValue& row : customer_rows(customer, number)) malformed.add(std::move(row));
    }
  }
  return is_any;
}

Result<SeriesIndex::LoadedCustomers> SeriesIndex::read_customers(
    kv::Family family, kv::MalformedRows& malformed) const {
  LoadedCustomers loaded;
  const std::string prefix = index_key::customers();
  const auto scan = store_.scan(family, prefix, kv::after_prefix(prefix));
  while (scan->next()) {
    const std::string_view text = scan->key().substr(prefix.size());
    const std::uint64_t number = number_of_value(scan->value());
    auto customer = text == CustomerId::provider().text()
                        ? Result<CustomerId>(CustomerId::provider())
                        : CustomerId::parse(text);
    if (customer && number > 0 && number <= UINT32_MAX) {
      loaded.of.emplace(std::move(*customer),
                        customers::CustomerNumber{static_cast<std::uint32_t>(number)});
      continue;
    }
    malformed.add(family, *scan);
    loaded.malformed.emplace_back();
    if (customer) loaded.malformed.back() = std::move(*customer);
  }
  if (auto status = scan->status(); !status) return forward(status);
  return loaded;
}

// For stores that were made before there was a second copy, and after a loss of either.
Result<void> SeriesIndex::put_identity() {
  std::vector<kv::KeyValue> writes;
  const std::string seed = number_value(seed_);
  for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
    const auto stored = store_.get(family, index_key::kSeed);
    if (!stored) return forward(stored);
    const auto format = store_.get(kv::Family::kIndex, index_key::kFormat);
    if (!format) return forward(format);
    if (stored->has_value() && !has_lost_rows_) continue;
    writes.push_back({family, std::string(index_key::kSeed), seed});
    writes.push_back({family, std::string(index_key::kNextSeries), number_value(next_id_)});
    if (format->has_value()) {
      writes.push_back({family, std::string(index_key::kFormat), **format});
    }
    for (const Customer& customer : customers()) {
      writes.push_back(
          {family, index_key::customer(customer.id.text()), number_value(customer.number.value)});
    }
  }
  if (writes.empty()) return {};
  return store_.put(writes, kv::Durability::kNow);
}

void SeriesIndex::note_used(store::SeriesId series, customers::CustomerNumber customer) {
  const std::lock_guard create_lock(create_mutex_);
  if (series.value >= next_id_) next_id_ = series.value + 1;
  const std::unique_lock lock(customers_mutex_);
  last_number_ = std::max(last_number_, customer.value);
}

Result<void> SeriesIndex::heal() {
  service::log_warn("the store has lost rows: the index is made whole from what is left");
  const std::uint64_t repairs = store_.repairs();
  has_lost_rows_ = true;
  known_values_.clear();
  forget_days();
  value_days_.clear();
  for (const kv::Family family :
       {kv::Family::kChunks, kv::Family::kSpans, kv::Family::kLogs, kv::Family::kRollup5m,
        kv::Family::kRollup1h, kv::Family::kRollup1d, kv::Family::kExemplars}) {
    if (auto found = find_customer_numbers(family); !found) return found;
  }
  if (auto found = find_numbers_of_metadata(); !found) return found;
  if (auto restored = restore_series("l", "m"); !restored) return forward(restored);
  if (auto healed = heal_rows("s", "t"); !healed) return healed;
  // Behind all that was found: what was lost may have borne higher numbers, which chunks still
  // have.
  next_id_ += kSeriesPassedOver;
  {
    const std::unique_lock lock(customers_mutex_);
    last_number_ += kCustomersPassedOver;
  }
  if (auto put = put_identity(); !put) return put;
  const auto done =
      store_.put({{kv::Family::kIndex, std::string(index_key::kHeal), "0"}}, kv::Durability::kNow);
  if (!done) return done;
  repairs_seen_ = repairs;
  return {};
}

// Whose customer row is gone still owns the rows under its number.
Result<void> SeriesIndex::find_customer_numbers(kv::Family family) {
  const auto scan = store_.scan(family, "", "");
  while (scan->next()) {
    std::string_view key = scan->key();
    bool ok = true;
    const std::uint32_t day = kv::take_key_u32(key, ok);
    const std::uint32_t number = kv::take_key_u32(key, ok);
    if (!ok) continue;
    {
      const std::unique_lock lock(customers_mutex_);
      last_number_ = std::max(last_number_, number);
    }
    std::string next = kv::day_key(day);
    kv::append_key_u32(next, number);
    next = kv::after_prefix(std::move(next));
    if (next.empty()) break;
    scan->seek(next);
  }
  return scan->status();
}

// Their keys begin with the number.
Result<void> SeriesIndex::find_numbers_of_metadata() {
  const auto scan = store_.scan(kv::Family::kMetadata, "", "");
  while (scan->next()) {
    std::string_view key = scan->key();
    bool ok = true;
    const std::uint32_t number = kv::take_key_u32(key, ok);
    if (!ok) continue;
    {
      const std::unique_lock lock(customers_mutex_);
      last_number_ = std::max(last_number_, number);
    }
    std::string next;
    kv::append_key_u32(next, number);
    next = kv::after_prefix(std::move(next));
    if (next.empty()) break;
    scan->seek(next);
  }
  return scan->status();
}

// Label values of which a walk over series, piece by piece, makes the rows anew. A series without
// days (its own row was lost) makes a value that is restored match every day; one that was there
// stays as it is.
class SeriesIndex::RestoredValues {
 public:
  explicit RestoredValues(kv::OrderedStore& store) : store_(store) {}

  /// A label value of a series of these days.
  Result<void> add(std::string key, const LabelsHash& value, const DayRange& days) {
    // Most series share their values: one look at the row is enough.
    const auto seen = seen_.find(value.low);
    if (seen != seen_.end() && days != kNoDays && seen->second.contains(days)) return {};
    const auto known = days_now(key);
    if (!known) return forward(known);
    const bool is_missing = !known->has_value();
    if (is_missing && hashes_.size() < kRestoredMax) hashes_.insert(value.low);
    DayRange wanted = joined(known->value_or(kNoDays), days);
    if (days == kNoDays) wanted = is_missing || is_restored(value) ? kAllDays : **known;
    if (seen != seen_.end() || seen_.size() < kRestoredMax) seen_[value.low] = wanted;
    if (*known == wanted) return {};
    written_.insert_or_assign(std::move(key), wanted);
    return {};
  }
  /// The rows of what was added since the last time.
  std::vector<kv::KeyValue> take() {
    std::vector<kv::KeyValue> rows;
    for (const auto& [key, days] : std::exchange(written_, {}))
      rows.push_back({kv::Family::kIndex, key, days == kAllDays ? "" : encode_value_row(days)});
    return rows;
  }

 private:
  Result<std::optional<DayRange>> days_now(const std::string& key) const {
    if (const auto at = written_.find(key); at != written_.end()) return std::optional(at->second);
    const auto row = store_.get(kv::Family::kIndex, key);
    if (!row) return forward(row);
    if (!row->has_value()) return std::optional<DayRange>();
    return std::optional(days_of_value(**row));
  }
  /// True where that is not known any more: too many were.
  bool is_restored(const LabelsHash& value) const {
    return hashes_.size() == kRestoredMax || hashes_.contains(value.low);
  }

  kv::OrderedStore& store_;
  std::unordered_set<std::uint64_t> hashes_;          // of those that were missing
  std::unordered_map<std::uint64_t, DayRange> seen_;  // their days now, by hash
  std::map<std::string, DayRange> written_;
};

// Each series row gives its row of the hash and those of its label values again, and its customer.
// The lock that new series wait for is held for some rows at a time.
Result<void> SeriesIndex::heal_rows(std::string_view from, std::string_view to,
                                    const GoesOn& goes_on) {
  const auto scan = store_.scan(kv::Family::kIndex, from, to);
  std::vector<UnresolvedSeries> some;
  RestoredValues restored(store_);
  std::size_t healed = 0;
  for (bool is_end = false; !is_end;) {
    is_end = !scan->next();
    if (!is_end) {
      std::string_view key = scan->key().substr(1);
      bool ok = true;
      const customers::CustomerNumber customer{kv::take_key_u32(key, ok)};
      const auto labels = decode_label_views(scan->value());
      if (!ok || !labels || key.size() < sizeof(std::uint64_t)) continue;
      key.remove_prefix(key.size() - sizeof(std::uint64_t));
      const store::SeriesId id{kv::take_key_u64(key, ok)};
      some.push_back({customer, to_labels(*labels), {}, id, false});
    }
    if (some.empty() || (!is_end && some.size() < kSeriesAtOnce)) continue;
    if (auto checked = check_goes_on(goes_on); !checked) return checked;
    const auto done = heal_some(some, restored);
    if (!done) return forward(done);
    healed += *done;
    some.clear();
  }
  if (auto status = scan->status(); !status) return status;
  service::log_info("the index is whole", {{"series_found_again", fmt::to_string(healed)}});
  return store_.sync();
}

// What the walk saw may be gone by now, or have other days.
Result<std::size_t> SeriesIndex::heal_some(const std::vector<UnresolvedSeries>& series,
                                           RestoredValues& restored) {
  const std::lock_guard lock(create_mutex_);
  NewRows rows;
  std::size_t healed = 0;
  for (const UnresolvedSeries& one : series) {
    const auto row = store_.get(kv::Family::kIndex,
                                index_key::series(one.customer, one.labels.metric_name(), one.id));
    if (!row) return forward(row);
    if (!row->has_value()) continue;
    heal_customer(one.customer, one.labels);
    if (auto found = heal_hash(one, rows, healed); !found) return forward(found);
    if (auto added = heal_values(one, days_of_row(**row), restored); !added) return forward(added);
  }
  const std::vector<kv::KeyValue> values = restored.take();
  rows.writes.insert(rows.writes.end(), values.begin(), values.end());
  if (rows.writes.empty()) return healed;
  if (auto put = store_.put(rows.writes, kv::Durability::kLater); !put) return forward(put);
  // What memory says of a value's days is of before: by it the next day would take some back.
  if (!values.empty()) value_days_.clear();
  return healed;
}

Result<void> SeriesIndex::heal_values(const UnresolvedSeries& series, const DayRange& days,
                                      RestoredValues& restored) const {
  for (const Label& label : series.labels) {
    std::string key = index_key::label_value(series.customer, label.name, label.value);
    const LabelsHash value = hash(series.customer, key);
    if (auto added = restored.add(std::move(key), value, days); !added) return added;
  }
  return {};
}

Result<void> SeriesIndex::heal_hash(const UnresolvedSeries& series, NewRows& rows,
                                    std::size_t& healed) {
  next_id_ = std::max(next_id_.load(), series.id.value + 1);
  std::string key = index_key::hash(hash(series.customer, encode_labels(series.labels)));
  const auto stored = store_.get(kv::Family::kIndex, key);
  if (!stored) return forward(stored);
  if (stored->has_value()) {
    next_id_ = std::max(next_id_.load(), number_of_value(**stored) + 1);
    return {};
  }
  rows.writes.push_back({kv::Family::kIndex, std::move(key), number_value(series.id.value)});
  ++healed;
  return {};
}

// The store has lost rows while it was open: what is in memory is whole, so no number is passed
// over. Whoever brings new series waits for his own customer's rows alone.
Result<void> SeriesIndex::heal_customers(const std::vector<UnresolvedSeries>& series) {
  if (store_.repairs() == repairs_at_open_) return {};
  std::set<customers::CustomerNumber> customers;
  for (const UnresolvedSeries& one : series) customers.insert(one.customer);
  for (const customers::CustomerNumber customer : customers) {
    if (auto healed = heal_customer_rows(customer); !healed) return healed;
  }
  return {};
}

Result<void> SeriesIndex::heal_customer_rows(customers::CustomerNumber customer,
                                             const GoesOn& goes_on) {
  const auto healing = begin_healing(customer);
  if (!healing) return forward(healing);
  // One of a customer's writers heals, the others wait for it; nobody waits for another customer's.
  const std::lock_guard alone((*healing)->mutex);
  const std::uint64_t repairs = store_.repairs();
  if ((*healing)->repairs == repairs) return {};
  const std::string copies = index_key::all_copies(customer);
  const auto restored = restore_series(copies, kv::after_prefix(copies), goes_on);
  if (!restored) return forward(restored);
  const std::string prefix = index_key::all_series(customer);
  if (auto healed = heal_rows(prefix, kv::after_prefix(prefix), goes_on); !healed) return healed;
  (*healing)->repairs = repairs;
  const std::lock_guard lock(whole_mutex_);
  whole_after_[customer] = repairs;
  return {};
}

bool SeriesIndex::lacks_rows_of(std::string_view customer) const {
  if (!lacks_rows() || customer.empty()) return lacks_rows();
  const auto id = customer == CustomerId::provider().text()
                      ? Result<CustomerId>(CustomerId::provider())
                      : CustomerId::parse(customer);
  const auto number = id ? find_customer(*id) : std::nullopt;
  if (!number) return true;
  const std::lock_guard lock(whole_mutex_);
  const auto whole = whole_after_.find(*number);
  return whole == whole_after_.end() || whole->second != store_.repairs();
}

Result<std::shared_ptr<SeriesIndex::Healing>> SeriesIndex::begin_healing(
    customers::CustomerNumber customer) {
  const std::lock_guard lock(create_mutex_);
  const std::uint64_t repairs = store_.repairs();
  if (repairs != repairs_seen_) {
    has_lost_rows_ = true;
    known_values_.clear();
    forget_days();
    value_days_.clear();
    if (auto put = put_identity(); !put) return forward(put);
    repairs_seen_ = repairs;
  }
  auto& healing = healings_[customer];
  if (healing == nullptr) {
    healing = std::make_shared<Healing>();
    healing->repairs = repairs_at_open_;
  }
  return healing;
}

void SeriesIndex::heal_customer(customers::CustomerNumber number, const Labels& labels) {
  const std::unique_lock lock(customers_mutex_);
  last_number_ = std::max(last_number_, number.value);
  const bool is_known = std::any_of(customers_.begin(), customers_.end(),
                                    [&](const auto& entry) { return entry.second == number; });
  if (is_known) return;
  const std::string_view label = labels.get("customer_id");
  auto customer =
      label.empty() ? Result<CustomerId>(CustomerId::provider()) : CustomerId::parse(label);
  if (customer) customers_.emplace(std::move(*customer), number);
}

Result<bool> SeriesIndex::has_series_row(const UnresolvedSeries& series) const {
  const auto row =
      store_.get(kv::Family::kIndex,
                 index_key::series(series.customer, series.labels.metric_name(), series.id));
  if (!row) return forward(row);
  return row->has_value();
}

}  // namespace vigia::storage::store::rocksdb::index
