#include "services/storage/chunks/kv_chunk_store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"
#include "services/storage/kv/key.hpp"

namespace vigia::storage {
namespace {

constexpr std::uint8_t kRowVersion = 1;
constexpr TimestampMs kDayMs = 24 * 3'600'000;

// Time stamps before 1970 are refused at the door; a read may ask for them.
std::uint32_t day_of(TimestampMs time_ms) {
  if (time_ms < 0) return 0;
  return static_cast<std::uint32_t>(std::min<TimestampMs>(time_ms / kDayMs, UINT32_MAX));
}

std::string series_prefix(std::uint32_t day, CustomerNumber customer, SeriesId series) {
  std::string key;
  append_key_u32(key, day);
  append_key_u32(key, customer.value);
  append_key_u64(key, series.value);
  return key;
}

std::string day_key(std::uint32_t day) {
  std::string key;
  append_key_u32(key, day);
  return key;
}

std::string row_key(CustomerNumber customer, const ChunkRow& row) {
  std::string key = series_prefix(day_of(row.first_ms), customer, row.series);
  append_key_i64(key, row.first_ms);
  append_key_u64(key, row.version);
  key.push_back(static_cast<char>(row.encoding));
  return key;
}

std::string row_value(const ChunkRow& row) {
  std::string value(1, static_cast<char>(kRowVersion));
  append_varint(value, static_cast<std::uint64_t>(row.last_ms - row.first_ms));
  value += row.data;
  return value;
}

// `key` is what follows the series' prefix.
Result<ChunkRow> parse_row(SeriesId series, std::string_view key, std::string_view value) {
  ChunkRow row;
  row.series = series;
  bool ok = true;
  row.first_ms = take_key_i64(key, ok);
  row.version = take_key_u64(key, ok);
  ByteReader reader(value);
  const std::uint8_t version = reader.read_u8();
  row.last_ms = row.first_ms + static_cast<TimestampMs>(reader.read_varint());
  if (!ok || key.size() != 1 || !reader.ok() || version != kRowVersion) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("cold store: a damaged chunk row of series {}", series.value));
  }
  row.encoding = static_cast<Encoding>(static_cast<std::uint8_t>(key[0]));
  row.data = reader.rest();
  return row;
}

}  // namespace

Result<std::unique_ptr<KvChunkStore>> KvChunkStore::open(OrderedStore& store) {
  auto chunks = std::make_unique<KvChunkStore>(Key{}, store);
  if (auto found = chunks->find_days(); !found) return forward(found);
  return chunks;
}

Result<void> KvChunkStore::find_days() {
  const auto scan = store_.scan(Family::kChunks, "", "");
  while (scan->next()) {
    std::string_view key = scan->key();
    bool ok = true;
    const std::uint32_t day = take_key_u32(key, ok);
    if (!ok) return fail(ErrorCode::kCorrupt, "cold store: a key that is no chunk row");
    days_.insert(day);
    if (day == UINT32_MAX) break;
    scan->seek(day_key(day + 1));
  }
  return scan->status();
}

void KvChunkStore::note_day(std::uint32_t day) {
  const std::lock_guard lock(mutex_);
  days_.insert(day);
}

std::vector<std::uint32_t> KvChunkStore::days_between(TimestampMs from_ms,
                                                      TimestampMs to_ms) const {
  const std::lock_guard lock(mutex_);
  const auto first = days_.lower_bound(day_of(from_ms));
  const auto last = days_.upper_bound(day_of(to_ms));
  if (from_ms > to_ms) return {};
  return {first, last};
}

Result<void> KvChunkStore::put(CustomerNumber customer, const std::vector<ChunkRow>& rows) {
  std::vector<KeyValue> writes;
  writes.reserve(rows.size());
  for (const ChunkRow& row : rows) {
    CHECK(row.first_ms <= row.last_ms && row.last_ms - row.first_ms <= kChunkSpanMs);
    note_day(day_of(row.first_ms));  // before the row: a reader must not miss it
    writes.push_back({Family::kChunks, row_key(customer, row), row_value(row)});
  }
  return store_.put(writes, Durability::kLater);
}

Result<std::vector<ChunkRow>> KvChunkStore::read(CustomerNumber customer, SeriesId series,
                                                 TimestampMs from_ms, TimestampMs to_ms) {
  std::vector<ChunkRow> rows;
  const TimestampMs earliest_ms = from_ms < kChunkSpanMs ? 0 : from_ms - kChunkSpanMs;
  for (const std::uint32_t day : days_between(earliest_ms, to_ms)) {
    const std::string prefix = series_prefix(day, customer, series);
    std::string from = prefix;
    append_key_i64(from, earliest_ms);
    const auto scan = store_.scan(Family::kChunks, from, after_prefix(prefix));
    while (scan->next()) {
      auto row = parse_row(series, scan->key().substr(prefix.size()), scan->value());
      if (!row) return forward(row);
      if (row->first_ms > to_ms) break;
      if (row->last_ms >= from_ms) rows.push_back(std::move(*row));
    }
    if (auto status = scan->status(); !status) return forward(status);
  }
  return rows;
}

Result<std::optional<TimestampMs>> KvChunkStore::newest(CustomerNumber customer, SeriesId series,
                                                        TimestampMs from_ms) {
  const TimestampMs earliest_ms = from_ms < kChunkSpanMs ? 0 : from_ms - kChunkSpanMs;
  std::optional<TimestampMs> newest;
  for (const std::uint32_t day : days_between(earliest_ms, INT64_MAX)) {
    const std::string prefix = series_prefix(day, customer, series);
    std::string from = prefix;
    append_key_i64(from, earliest_ms);
    const auto scan = store_.scan(Family::kChunks, from, after_prefix(prefix));
    while (scan->next()) {
      const auto row = parse_row(series, scan->key().substr(prefix.size()), scan->value());
      if (!row) return tl::unexpected<Error>(row.error());
      if (row->version != kInOrder || row->last_ms < from_ms) continue;
      newest = std::max(newest.value_or(row->last_ms), row->last_ms);
    }
    if (auto status = scan->status(); !status) return forward(status);
  }
  return newest;
}

Result<std::size_t> KvChunkStore::expire(TimestampMs before_ms) {
  std::vector<std::uint32_t> old;
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint32_t day : days_) {
      // The last chunk of a day may reach into the next one.
      if ((static_cast<TimestampMs>(day) + 1) * kDayMs + kChunkSpanMs <= before_ms) {
        old.push_back(day);
      }
    }
  }
  for (const std::uint32_t day : old) {
    const auto dropped = store_.drop_range(Family::kChunks, day_key(day), day_key(day + 1));
    if (!dropped) return tl::unexpected<Error>(dropped.error());
    const std::lock_guard lock(mutex_);
    days_.erase(day);
  }
  return old.size();
}

}  // namespace vigia::storage
