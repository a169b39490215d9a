#include "services/storage/store/rocksdb/kv_metadata.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "libs/base/bytes.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

using customers::CustomerNumber;

constexpr std::uint8_t kRowVersion = 1;
constexpr std::size_t kPutAtOnce = 500;
constexpr std::size_t kForgottenAtOnce = 100;   // others' writes wait meanwhile
constexpr std::size_t kReadBetweenLooks = 256;  // at the limit

std::string customer_prefix(CustomerNumber customer) {
  std::string key;
  kv::append_key_u32(key, customer.value);
  return key;
}

kv::KeyValue row_of(CustomerNumber customer, const MetricMetadata& metric) {
  kv::KeyValue row{kv::Family::kMetadata, customer_prefix(customer) + metric.metric,
                   std::string(1, static_cast<char>(kRowVersion))};
  row.value += static_cast<char>(metric.type);
  append_u32(row.value, metric.day);
  append_sized(row.value, metric.unit);
  row.value += metric.help;
  return row;
}

// `key` is what follows the customer.
std::optional<MetricMetadata> parse_row(std::string_view key, std::string_view value) {
  MetricMetadata metric;
  ByteReader reader(value);
  const std::uint8_t version = reader.read_u8();
  metric.type = reader.read_u8();
  metric.day = reader.read_u32();
  const std::string_view unit = reader.read_sized();
  const std::string_view help = reader.rest();
  if (!reader.ok() || version != kRowVersion || metric.type > kMetricTypeMax || key.empty() ||
      key.size() > kMetricBytesMax || unit.size() > kUnitBytesMax || help.size() > kHelpBytesMax) {
    return std::nullopt;
  }
  metric.metric = key;
  metric.unit = unit;
  metric.help = help;
  return metric;
}

bool is_over(std::uint32_t day, TimestampMs before_ms) {
  return (static_cast<TimestampMs>(day) + 1) * kDayMs <= before_ms;
}

// What of the cuts decides anything: times of one day all forget the same.
std::string days_of(const kv::DayCuts& cuts) {
  std::string days;
  for (const TimestampMs cut_ms : {cuts.before_ms, cuts.earliest_ms, cuts.latest_ms})
    append_u32(days, day_of(cut_ms));
  for (const auto& [number, cut_ms] : cuts.own) {
    append_u32(days, number);
    append_u32(days, day_of(cut_ms));
  }
  return days;
}

// Rows that are to go, some at a time.
class Forgetting {
 public:
  explicit Forgetting(kv::OrderedStore& store) : store_(store) {}
  Result<void> add(const kv::Scan& scan) {
    rows_.push_back(
        {{kv::Family::kMetadata, std::string(scan.key()), "", true}, std::string(scan.value())});
    return rows_.size() < kForgottenAtOnce ? Result<void>() : flush();
  }
  // What has been said again since it was read stays.
  Result<void> flush() {
    if (rows_.empty()) return {};
    const auto gone = store_.put_unchanged(rows_);
    rows_.clear();
    if (!gone) return forward(gone);
    forgotten_ += *gone;
    return {};
  }
  std::size_t forgotten() const { return forgotten_; }

 private:
  kv::OrderedStore& store_;
  std::vector<kv::GuardedWrite> rows_;
  std::size_t forgotten_ = 0;
};

// False of what is no row: whoever reads it sets it aside.
bool is_over_at(const kv::Scan& scan, TimestampMs before_ms) {
  std::string_view key = scan.key();
  bool ok = true;
  kv::take_key_u32(key, ok);  // the customer
  if (!ok) return false;
  const auto found = parse_row(key, scan.value());
  return found.has_value() && is_over(found->day, before_ms);
}

Result<std::size_t> ended(const kv::Scan& scan, Forgetting& forgetting) {
  if (auto status = scan.status(); !status) return forward(status);
  if (auto flushed = forgetting.flush(); !flushed) return forward(flushed);
  return forgetting.forgotten();
}

Result<std::size_t> forget_of(kv::OrderedStore& store, CustomerNumber customer,
                              TimestampMs before_ms) {
  const std::string prefix = customer_prefix(customer);
  const auto scan = store.scan(kv::Family::kMetadata, prefix, kv::after_prefix(prefix));
  Forgetting forgetting(store);
  while (scan->next()) {
    if (!is_over_at(*scan, before_ms)) continue;
    if (auto added = forgetting.add(*scan); !added) return forward(added);
  }
  return ended(*scan, forgetting);
}

}  // namespace

Result<void> KvMetadata::put(CustomerNumber customer, std::span<const MetricMetadata> metrics) {
  while (!metrics.empty()) {
    const auto some = metrics.first(std::min(metrics.size(), kPutAtOnce));
    metrics = metrics.subspan(some.size());
    std::vector<kv::KeyValue> writes;
    writes.reserve(some.size());
    for (const MetricMetadata& metric : some) writes.push_back(row_of(customer, metric));
    if (auto put = store_.put(writes, kv::Durability::kLater); !put) return put;
  }
  return {};
}

Result<void> KvMetadata::read(CustomerNumber customer, std::string_view metric,
                              const MetadataStore::Visit& visit, const WorkLimit& limit) {
  const std::string prefix = customer_prefix(customer);
  const std::string from = prefix + std::string(metric);
  // Behind the one that is asked for comes first what is longer by a NUL.
  const std::string to = metric.empty() ? kv::after_prefix(prefix) : from + '\0';
  kv::MalformedRows malformed(store_, "metadata that is none");
  const auto scan = store_.scan(kv::Family::kMetadata, from, to);
  for (std::size_t looked_at = 0; scan->next(); ++looked_at) {
    if (looked_at % kReadBetweenLooks == 0) {
      if (auto checked = limit.check(); !checked) return checked;
    }
    const auto found = parse_row(scan->key().substr(prefix.size()), scan->value());
    if (!found.has_value()) {
      ++damaged_;
      malformed.add(kv::Family::kMetadata, *scan);
      continue;
    }
    if (!visit(*found)) return {};
  }
  return scan->status();
}

// The lock is not held while rows are read: nobody waits for a sweep.
Result<std::size_t> KvMetadata::expire(const kv::DayCuts& cuts) {
  if (cuts.latest_ms <= 0) return 0U;
  // Room for one who is full: what the sweep has done stays known.
  if (cuts.before_ms <= 0 && cuts.own.size() == 1) {
    const auto& [number, cut_ms] = *cuts.own.begin();
    return forget_of(store_, CustomerNumber{number}, cut_ms);
  }
  std::string days = days_of(cuts);
  {
    const std::lock_guard lock(mutex_);
    if (days == expired_to_) return 0U;
  }
  auto forgotten = forget_before(cuts);
  const std::lock_guard lock(mutex_);
  expired_to_ = forgotten ? std::move(days) : "";
  return forgotten;
}

Result<std::size_t> KvMetadata::forget_before(const kv::DayCuts& cuts) {
  Forgetting forgetting(store_);
  const auto scan = store_.scan(kv::Family::kMetadata, "", "");
  while (scan->next()) {
    std::string_view key = scan->key();
    bool ok = true;
    const CustomerNumber customer{kv::take_key_u32(key, ok)};
    if (!ok) continue;  // whoever reads it sets it aside
    const TimestampMs cut_ms = cuts.of(customer.value);
    if (cut_ms <= 0) {
      const std::string next = kv::after_prefix(customer_prefix(customer));
      if (next.empty()) break;
      scan->seek(next);
      continue;
    }
    if (!is_over_at(*scan, cut_ms)) continue;
    if (auto added = forgetting.add(*scan); !added) return forward(added);
  }
  return ended(*scan, forgetting);
}

Result<void> check_metadata_row(std::string_view key, std::string_view value) {
  bool ok = true;
  kv::take_key_u32(key, ok);  // the customer
  if (ok && parse_row(key, value).has_value()) return {};
  return fail(ErrorCode::kCorrupt, "cold store: a damaged row of a metric's metadata");
}

}  // namespace vigia::storage::store::rocksdb
