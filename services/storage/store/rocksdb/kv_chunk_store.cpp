#include "services/storage/store/rocksdb/kv_chunk_store.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/packed_chunk.hpp"
#include "libs/chunk/whole_chunk.hpp"
#include "libs/rollup/window.hpp"
#include "libs/rollup/window_record.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

constexpr std::uint8_t kAsItIs = 1;
constexpr std::uint8_t kPacked = 2;  // floats as whole numbers, to be made an XOR chunk again

kv::Family family_of(Resolution resolution) {
  switch (resolution) {
    case Resolution::kFiveMinutes:
      return kv::Family::kRollup5m;
    case Resolution::kHour:
      return kv::Family::kRollup1h;
    case Resolution::kDay:
      return kv::Family::kRollup1d;
    case Resolution::kRaw:
      break;
  }
  return kv::Family::kChunks;
}

std::string series_prefix(std::uint32_t day, customers::CustomerNumber customer, SeriesId series) {
  // By day first, so that what has expired is one range to drop; big-endian, so that keys stand in
  // the order of their numbers.
  std::string key;
  kv::append_key_u32(key, day);
  kv::append_key_u32(key, customer.value);
  kv::append_key_u64(key, series.value);
  return key;
}

std::string row_key(customers::CustomerNumber customer, const ChunkRow& row) {
  std::string key = series_prefix(day_of(row.first_ms), customer, row.series);
  kv::append_key_i64(key, row.first_ms);
  kv::append_key_u64(key, row.version);
  key.push_back(static_cast<char>(row.encoding));
  return key;
}

// Packed where that is possible and smaller; nothing else. What is no chunk is kept as it is too:
// a reader shall find the damage, not we hide it.
std::optional<std::string> packed_data(const ChunkRow& row) {
  if (row.encoding != Encoding::kFloats) return std::nullopt;
  const auto samples = chunk::read_samples(row.data);
  if (!samples || samples->empty() || samples->front().timestamp_ms != row.first_ms) {
    return std::nullopt;
  }
  auto packed = chunk::pack_samples(*samples);
  if (packed.has_value() && packed->size() >= row.data.size()) return std::nullopt;
  return packed;
}

std::string row_value(const ChunkRow& row) {
  const auto packed = packed_data(row);
  std::string value(1, static_cast<char>(packed.has_value() ? kPacked : kAsItIs));
  append_varint(value, static_cast<std::uint64_t>(row.last_ms - row.first_ms));
  value += packed.has_value() ? *packed : row.data;
  return value;
}

// The XOR chunk that these samples were before: its bytes follow from them.
Result<std::string> unpacked_data(std::string_view packed, TimestampMs first_ms) {
  const auto samples = chunk::unpack_samples(packed, first_ms);
  if (!samples) return forward(samples);
  return chunk::write_chunk(*samples);
}

// A row that reaches into a range begins so much before it at most.
TimestampMs earliest_of(TimestampMs from_ms, Resolution resolution) {
  const TimestampMs span_ms = row_span_max_ms(resolution);
  return from_ms < span_ms ? 0 : from_ms - span_ms;
}

enum class Want { kAll, kTimes };

// `key` is what follows the series' prefix. Without its data where only the times are wanted.
Result<ChunkRow> parse_row(Want want, SeriesId series, std::string_view key,
                           std::string_view value) {
  ChunkRow row;
  row.series = series;
  bool ok = true;
  row.first_ms = kv::take_key_i64(key, ok);
  row.version = kv::take_key_u64(key, ok);
  ByteReader reader(value);
  const std::uint8_t version = reader.read_u8();
  row.last_ms = row.first_ms + static_cast<TimestampMs>(reader.read_varint());
  if (!ok || key.size() != 1 || !reader.ok() || (version != kAsItIs && version != kPacked)) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("cold store: a damaged chunk row of series {}", series.value));
  }
  row.encoding = static_cast<Encoding>(static_cast<std::uint8_t>(key[0]));
  if (want == Want::kTimes) return row;
  if (version == kAsItIs) {
    row.data = reader.rest();
    return row;
  }
  auto data = unpacked_data(reader.rest(), row.first_ms);
  if (!data) return forward(data);
  row.data = std::move(*data);
  return row;
}

}  // namespace

KvChunkStore::KvChunkStore(Key /*key*/, kv::OrderedStore& store, Resolution resolution)
    : store_(store),
      resolution_(resolution),
      family_(family_of(resolution)),
      days_(store, family_) {}

Result<std::unique_ptr<KvChunkStore>> KvChunkStore::open(kv::OrderedStore& store,
                                                         Resolution resolution) {
  auto chunks = std::make_unique<KvChunkStore>(Key{}, store, resolution);
  if (auto loaded = chunks->days_.load(); !loaded) return forward(loaded);
  return chunks;
}

RowWalk::RowWalk(kv::OrderedStore& store, std::vector<std::uint32_t> days, const Place& place,
                 const Range& range)
    : store_(store),
      days_(std::move(days)),
      place_(place),
      range_(range),
      earliest_ms_(earliest_of(range.from_ms, place.resolution)) {}

void RowWalk::begin_day() {
  prefix_ = series_prefix(days_[day_], place_.customer, place_.series);
  std::string from = prefix_;
  kv::append_key_i64(from, earliest_ms_);
  if (scan_ != nullptr) return scan_->seek(from);
  const std::string last = series_prefix(days_.back(), place_.customer, place_.series);
  scan_ = store_.scan(family_of(place_.resolution), from, kv::after_prefix(last));
}

Result<std::optional<ChunkRow>> RowWalk::next() {
  for (; day_ < days_.size(); ++day_, is_begun_ = false) {
    if (!std::exchange(is_begun_, true)) begin_day();
    auto row = next_of_day();
    if (!row || row->has_value()) return row;
  }
  return std::optional<ChunkRow>();
}

Result<std::optional<ChunkRow>> RowWalk::next_of_day() {
  while (scan_->next()) {
    std::string_view key = scan_->key();
    if (!key.starts_with(prefix_))
      return std::optional<ChunkRow>();  // another's, or of another day
    key.remove_prefix(prefix_.size());
    // Unpacking costs far more than the times, and rows before the range are met on the way.
    auto times = parse_row(Want::kTimes, place_.series, key, scan_->value());
    if (!times) return tl::unexpected<Error>(times.error());
    if (times->first_ms > range_.to_ms) return std::optional<ChunkRow>();
    if (times->last_ms < range_.from_ms) continue;
    if (!range_.wants_data) return std::optional<ChunkRow>(std::move(*times));
    auto row = parse_row(Want::kAll, place_.series, key, scan_->value());
    if (!row) return forward(row);
    return std::optional<ChunkRow>(std::move(*row));
  }
  if (auto status = scan_->status(); !status) return forward(status);
  return std::optional<ChunkRow>();
}

kv::KeyValue KvChunkStore::row_of(customers::CustomerNumber customer, const ChunkRow& row) {
  CHECK(check_row(row, resolution_));
  // Before the write: a day that is noted and empty costs a seek, one that is missing hides rows.
  days_.note(day_of(row.first_ms));
  return {family_, row_key(customer, row), row_value(row)};
}

Result<void> KvChunkStore::put(customers::CustomerNumber customer,
                               const std::vector<ChunkRow>& rows) {
  std::vector<kv::KeyValue> writes;
  writes.reserve(rows.size());
  for (const ChunkRow& row : rows) writes.push_back(row_of(customer, row));
  return store_.put(writes, kv::Durability::kLater);
}

RowWalk KvChunkStore::walk(customers::CustomerNumber customer, SeriesId series,
                           const RowWalk::Range& range) const {
  const TimestampMs earliest_ms = earliest_of(range.from_ms, resolution_);
  return {store_,
          days_.between(day_of(earliest_ms), day_of(range.to_ms)),
          {customer, series, resolution_},
          range};
}

Result<std::optional<TimestampMs>> KvChunkStore::newest(customers::CustomerNumber customer,
                                                        SeriesId series,
                                                        TimestampMs from_ms) const {
  const TimestampMs earliest_ms = earliest_of(from_ms, resolution_);
  std::optional<TimestampMs> newest;
  for (const std::uint32_t day : days_.between(day_of(earliest_ms), UINT32_MAX)) {
    const std::string prefix = series_prefix(day, customer, series);
    std::string from = prefix;
    kv::append_key_i64(from, earliest_ms);
    const auto scan = store_.scan(family_, from, kv::after_prefix(prefix));
    while (scan->next()) {
      const auto row =
          parse_row(Want::kTimes, series, scan->key().substr(prefix.size()), scan->value());
      if (!row) return forward(row);
      // Late rows do not count: newest is where samples in order go on.
      if (row->version != kInOrder || row->last_ms < from_ms) continue;
      newest = std::max(newest.value_or(row->last_ms), row->last_ms);
    }
    if (auto status = scan->status(); !status) return forward(status);
  }
  return newest;
}

Result<std::size_t> KvChunkStore::expire(const kv::DayCuts& cuts) {
  return days_.expire(cuts, row_span_max_ms(resolution_));  // the last row may reach so far
}

namespace {

Result<ChunkRow> whole_row(std::string_view key, std::string_view value) {
  bool ok = true;
  kv::take_key_u32(key, ok);  // the day
  kv::take_key_u32(key, ok);  // the customer
  const SeriesId series{kv::take_key_u64(key, ok)};
  if (!ok) return fail(ErrorCode::kCorrupt, "cold store: a key that is none of a chunk row");
  return parse_row(Want::kAll, series, key, value);
}

}  // namespace

Result<void> check_rollup_row(Resolution resolution, std::string_view key, std::string_view value) {
  const auto row = whole_row(key, value);
  if (!row) return forward(row);
  if (auto sound = check_row(*row, resolution); !sound) return sound;
  if (row->encoding == Encoding::kHistograms && row->data.empty()) return {};
  if (row->encoding != Encoding::kWindows) {
    return fail(ErrorCode::kCorrupt, "cold store: a row of roll-ups that holds something else");
  }
  const auto windows = rollup::read_windows(row->data, rollup::width_ms(resolution));
  if (!windows) return forward(windows);
  const bool is_whole = !windows->empty() && windows->front().end_ms > row->first_ms &&
                        windows->back().end_ms == row->last_ms + 1;
  if (is_whole) return {};
  return fail(ErrorCode::kCorrupt, "cold store: a row of roll-ups of another time than it says");
}

Result<void> check_chunk_row(std::string_view key, std::string_view value) {
  const auto row = whole_row(key, value);
  if (!row) return forward(row);
  const auto read = merge_rows({*row});
  return read ? Result<void>() : forward(read);
}

}  // namespace vigia::storage::store::rocksdb
