#include "services/storage/store/rocksdb/kv_exemplars.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

constexpr std::uint8_t kRowVersion = 1;
constexpr std::size_t kPutAtOnce = 1'000;
constexpr std::size_t kReadBetweenLooks = 256;  // at the limit

std::string customer_prefix(std::uint32_t day, customers::CustomerNumber customer) {
  std::string key;
  kv::append_key_u32(key, day);
  kv::append_key_u32(key, customer.value);
  return key;
}

std::string series_prefix(std::uint32_t day, customers::CustomerNumber customer, SeriesId series) {
  std::string key = customer_prefix(day, customer);
  kv::append_key_u64(key, series.value);
  return key;
}

std::string row_value(const NewExemplar& exemplar) {
  std::string value(1, static_cast<char>(kRowVersion));
  append_u64(value, std::bit_cast<std::uint64_t>(exemplar.sample.value));
  return value.append(exemplar.label_bytes);
}

// The hash tells several of one time apart, and makes a repeat the same row.
kv::KeyValue row_of(customers::CustomerNumber customer, const NewExemplar& exemplar) {
  const TimestampMs time_ms = exemplar.sample.timestamp_ms;
  kv::KeyValue row{kv::Family::kExemplars,
                   series_prefix(day_of(time_ms), customer, exemplar.series), row_value(exemplar)};
  kv::append_key_i64(row.key, time_ms);
  const XXH128_hash_t hash = XXH3_128bits(row.value.data(), row.value.size());
  kv::append_key_u64(row.key, hash.high64);
  kv::append_key_u64(row.key, hash.low64);
  return row;
}

// `key` is what follows the series.
std::optional<StoredExemplar> parse_row(std::string_view key, std::string_view value) {
  StoredExemplar exemplar;
  bool ok = true;
  exemplar.sample.timestamp_ms = kv::take_key_i64(key, ok);
  kv::take_key_u64(key, ok);
  kv::take_key_u64(key, ok);
  ByteReader reader(value);
  const std::uint8_t version = reader.read_u8();
  exemplar.sample.value = std::bit_cast<double>(reader.read_u64());
  exemplar.label_bytes = reader.rest();
  if (!ok || !key.empty() || !reader.ok() || version != kRowVersion ||
      !decode_labels(exemplar.label_bytes)) {
    return std::nullopt;
  }
  return exemplar;
}

// The series of the row at which the walk is, or of the next one that has one; none: the walk is
// over. `prefix` is how long keys are before it.
std::optional<SeriesId> series_here(kv::Scan& scan, std::size_t prefix,
                                    kv::MalformedRows& malformed) {
  while (scan.next()) {
    std::string_view key = scan.key().substr(prefix);
    bool ok = true;
    const SeriesId series{kv::take_key_u64(key, ok)};
    if (ok) return series;
    malformed.add(kv::Family::kExemplars, scan);
  }
  return std::nullopt;
}

}  // namespace

KvExemplars::KvExemplars(Key /*key*/, kv::OrderedStore& store)
    : store_(store), days_(store, kv::Family::kExemplars) {}

Result<std::unique_ptr<KvExemplars>> KvExemplars::open(kv::OrderedStore& store) {
  auto exemplars = std::make_unique<KvExemplars>(Key{}, store);
  if (auto loaded = exemplars->days_.load(); !loaded) return forward(loaded);
  return exemplars;
}

// Some at a time, so that a request's rows are not all there twice.
Result<void> KvExemplars::put(customers::CustomerNumber customer,
                              std::span<const NewExemplar> exemplars) {
  while (!exemplars.empty()) {
    const auto some = exemplars.first(std::min(exemplars.size(), kPutAtOnce));
    exemplars = exemplars.subspan(some.size());
    std::vector<kv::KeyValue> writes;
    writes.reserve(some.size());
    for (const NewExemplar& exemplar : some) {
      // Before the write: a day that is noted and empty costs a seek, one that is missing hides it.
      days_.note(day_of(exemplar.sample.timestamp_ms));
      writes.push_back(row_of(customer, exemplar));
    }
    if (auto put = store_.put(writes, kv::Durability::kLater); !put) return put;
  }
  return {};
}

Result<std::vector<SeriesId>> KvExemplars::having(customers::CustomerNumber customer,
                                                  std::span<const SeriesId> series,
                                                  const ExemplarRange& range,
                                                  const WorkLimit& limit) {
  std::vector<SeriesId> all;
  if (range.from_ms > range.to_ms) return all;
  for (const std::uint32_t day : days_.between(day_of(range.from_ms), day_of(range.to_ms))) {
    auto some = having_on(day, customer, series, limit);
    if (!some) return some;
    std::vector<SeriesId> both;
    std::set_union(all.begin(), all.end(), some->begin(), some->end(), std::back_inserter(both));
    all = std::move(both);
  }
  return all;
}

// By turns to the next series that is asked for, and to the next one that has some: what it costs
// is bounded by either.
Result<std::vector<SeriesId>> KvExemplars::having_on(std::uint32_t day,
                                                     customers::CustomerNumber customer,
                                                     std::span<const SeriesId> series,
                                                     const WorkLimit& limit) {
  std::vector<SeriesId> found;
  const std::string prefix = customer_prefix(day, customer);
  kv::MalformedRows malformed(store_, "an exemplar of no series");
  const auto scan = store_.scan(kv::Family::kExemplars, prefix, kv::after_prefix(prefix));
  for (auto next = series.begin(); next != series.end();) {
    if (auto checked = limit.check(); !checked) return forward(checked);
    scan->seek(series_prefix(day, customer, *next));
    const auto there = series_here(*scan, prefix.size(), malformed);
    if (!there.has_value()) break;
    next = std::lower_bound(next, series.end(), *there);
    if (next == series.end() || *next != *there) continue;
    found.push_back(*there);
    ++next;
  }
  if (auto status = scan->status(); !status) return forward(status);
  return found;
}

Result<void> KvExemplars::read(const SeriesPlace& place, const ExemplarRange& range,
                               const ExemplarStore::Visit& visit, const WorkLimit& limit) {
  if (range.from_ms > range.to_ms) return {};
  for (const std::uint32_t day : days_.between(day_of(range.from_ms), day_of(range.to_ms))) {
    if (auto checked = limit.check(); !checked) return checked;
    const auto goes_on =
        read_day({series_prefix(day, place.customer, place.series), range, limit}, visit);
    if (!goes_on) return forward(goes_on);
    if (!*goes_on) return {};
  }
  return {};
}

Result<bool> KvExemplars::read_day(const DayWalk& walk, const ExemplarStore::Visit& visit) {
  std::string from = walk.prefix;
  kv::append_key_i64(from, walk.range.from_ms);
  kv::MalformedRows malformed(store_, "an exemplar that is none");
  const auto scan = store_.scan(kv::Family::kExemplars, from, kv::after_prefix(walk.prefix));
  for (std::size_t looked_at = 0; scan->next(); ++looked_at) {
    if (looked_at % kReadBetweenLooks == 0) {
      if (auto checked = walk.limit.check(); !checked) return forward(checked);
    }
    const auto exemplar = parse_row(scan->key().substr(walk.prefix.size()), scan->value());
    if (!exemplar.has_value()) {
      ++damaged_;
      malformed.add(kv::Family::kExemplars, *scan);
      continue;
    }
    if (exemplar->sample.timestamp_ms > walk.range.to_ms || !visit(*exemplar)) return false;
  }
  if (auto status = scan->status(); !status) return forward(status);
  return true;
}

Result<void> check_exemplar_row(std::string_view key, std::string_view value) {
  bool ok = true;
  kv::take_key_u32(key, ok);  // the day
  kv::take_key_u32(key, ok);  // the customer
  kv::take_key_u64(key, ok);  // the series
  if (ok && parse_row(key, value).has_value()) return {};
  return fail(ErrorCode::kCorrupt, "cold store: a damaged row of an exemplar");
}

}  // namespace vigia::storage::store::rocksdb
