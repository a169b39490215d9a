#include "services/storage/store/rocksdb/kv_due_days.hpp"

#include <random>

#include "libs/base/bytes.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

constexpr std::uint8_t kMarkVersion = 1;
constexpr std::size_t kMarkedAtOnce = 512;  // series' days of a step of mark_stored
constexpr std::uint32_t kNobody = 0;        // customers are numbered from 1

std::string mark_key(customers::CustomerNumber customer, const DuePlace& place) {
  std::string key;
  kv::append_key_u32(key, customer.value);
  kv::append_key_u64(key, place.series.value);
  kv::append_key_u32(key, place.day);
  return key;
}

std::string note_key() {
  std::string key;
  kv::append_key_u32(key, kNobody);
  return key + "note";
}

std::string mark_value(std::uint64_t stamp) {
  std::string value(1, static_cast<char>(kMarkVersion));
  append_u64(value, stamp);
  return value;
}

// `key` is what follows the customer. Nothing where it is no mark.
std::optional<DueDay> parse_mark(std::string_view key, std::string_view value) {
  DueDay due;
  bool ok = true;
  due.place.series.value = kv::take_key_u64(key, ok);
  due.place.day = kv::take_key_u32(key, ok);
  ByteReader reader(value);
  const std::uint8_t version = reader.read_u8();
  due.stamp = reader.read_u64();
  if (!ok || !key.empty() || !reader.ok() || version != kMarkVersion) return std::nullopt;
  return due;
}

// Any start will do as long as no two processes' stamps of a day meet.
std::uint64_t random_stamp() {
  std::random_device random;
  constexpr unsigned kHalf = 32;
  return static_cast<std::uint64_t>(random()) << kHalf | random();
}

}  // namespace

KvDueDays::KvDueDays(kv::OrderedStore& store) : store_(store), next_stamp_(random_stamp()) {}

void KvDueDays::add_mark(customers::CustomerNumber customer, const DuePlace& place,
                         std::vector<kv::KeyValue>& writes) {
  writes.push_back({kv::Family::kDue, mark_key(customer, place), mark_value(next_stamp_++)});
}

void KvDueDays::add_marks(customers::CustomerNumber customer, const ChunkRow& row,
                          std::vector<kv::KeyValue>& writes) {
  if (!is_marking_) return;
  add_marks(customer, row.series, {window_day_of(row.first_ms), window_day_of(row.last_ms)},
            writes);
}

// Both included; the last day that there is has none after it.
void KvDueDays::add_marks(customers::CustomerNumber customer, SeriesId series, const DayRange& days,
                          std::vector<kv::KeyValue>& writes) {
  for (std::uint64_t day = days.first; day <= days.last; ++day) {
    add_mark(customer, {series, static_cast<std::uint32_t>(day)}, writes);
  }
}

Result<std::vector<DueDay>> KvDueDays::due(customers::CustomerNumber customer, const DuePlace& from,
                                           std::size_t max) const {
  std::string prefix;
  kv::append_key_u32(prefix, customer.value);
  std::vector<DueDay> days;
  const auto scan =
      store_.scan(kv::Family::kDue, mark_key(customer, from), kv::after_prefix(prefix));
  kv::MalformedRows malformed(store_, "a mark of a day that is none");
  while (days.size() < max && scan->next()) {
    const auto day = parse_mark(scan->key().substr(prefix.size()), scan->value());
    if (day.has_value()) {
      days.push_back(*day);
    } else {
      malformed.add(kv::Family::kDue, *scan);
    }
  }
  if (auto status = scan->status(); !status) return forward(status);
  return days;
}

Result<void> KvDueDays::done(customers::CustomerNumber customer, std::span<const DueDay> days) {
  std::vector<kv::GuardedWrite> writes;
  writes.reserve(days.size());
  for (const DueDay& day : days) {
    writes.push_back(
        {{kv::Family::kDue, mark_key(customer, day.place), "", true}, mark_value(day.stamp)});
  }
  auto gone = store_.put_unchanged(writes);
  if (!gone) return forward(gone);
  return {};
}

// One look for each series' day: where its rows end is not known without reading them, so that the
// day after is marked too.
Result<std::string> KvDueDays::mark_stored(const std::string& place) {
  std::vector<kv::KeyValue> writes;
  std::string next;
  const auto scan = store_.scan(kv::Family::kChunks, place, "");
  for (std::size_t marked = 0; scan->next(); ++marked) {
    if (marked == kMarkedAtOnce) {
      next = std::string(scan->key());
      break;
    }
    std::string_view key = scan->key();
    bool ok = true;
    const std::uint32_t day = kv::take_key_u32(key, ok);
    const customers::CustomerNumber customer{kv::take_key_u32(key, ok)};
    const SeriesId series{kv::take_key_u64(key, ok)};
    const std::size_t prefix_bytes = scan->key().size() - key.size();
    const TimestampMs first_ms = kv::take_key_i64(key, ok);
    if (!ok) continue;  // whoever reads its day sets it aside
    // A row of midnight is of the day before; no damaged time makes it more.
    const std::uint32_t first = day > 0 && window_day_of(first_ms) < day ? day - 1 : day;
    const std::uint32_t last = day == UINT32_MAX ? day : day + 1;
    add_marks(customer, series, {first, last}, writes);
    const std::string behind = kv::after_prefix(std::string(scan->key().substr(0, prefix_bytes)));
    if (behind.empty()) break;
    scan->seek(behind);
  }
  if (auto status = scan->status(); !status) return forward(status);
  if (auto put = store_.put(writes, kv::Durability::kLater); !put) return forward(put);
  return next;
}

Result<std::string> KvDueDays::note() const {
  auto row = store_.get(kv::Family::kDue, note_key());
  if (!row) return tl::unexpected<Error>(row.error());
  return row->value_or("");
}

Result<void> KvDueDays::set_note(const std::string& note) {
  return store_.put({{kv::Family::kDue, note_key(), note}}, kv::Durability::kNow);
}

}  // namespace vigia::storage::store::rocksdb
