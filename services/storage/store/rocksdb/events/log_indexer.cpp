#include "services/storage/store/rocksdb/events/log_indexer.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <xxhash.h>

#include "services/storage/store/log_streams.hpp"
#include "services/storage/store/rocksdb/events/search_key.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/stream_selector.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// From so many records of a bucket on a search for one stream reads a sixteenth of its blocks, at a
// key more for some sixteen of them.
constexpr std::size_t kRecordsToShard = 256;
// Of a stream's row. It stands on each day of which a request has records: with names as long as
// they may be it would be many times what was sent. Longer ones are looked at by each query.
constexpr std::size_t kStreamTextMax = 256;

}  // namespace

StreamTag::StreamTag(std::string_view resource, std::uint64_t seed)
    : is_indexed(resource.size() <= kStreamResourceBytesMax), code(0), name(0) {
  if (!is_indexed) return;
  text = search_key::stream_text(stream_of(resource)).value_or("");
  if (text.size() > kStreamTextMax) text.clear();
  if (text.empty()) return;
  code = log_block::code_of(search_key::hash_of(text));
  name = XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

void LogIndexer::add(std::string_view key, const StreamTag& stream) {
  if (!stream.is_indexed) return;
  bool ok = true;
  const std::uint32_t day = kv::take_key_u32(key, ok);
  kv::take_key_u32(key, ok);  // the customer
  const TimestampNs time_ns = kv::take_key_u64(key, ok);
  added_.push_back(
      {day, log_block::bucket_of(time_ns), {stream.code, log_block::slot_of(time_ns)}, &stream});
}

std::vector<kv::KeyValue> LogIndexer::finish(std::uint64_t repairs) {
  std::sort(added_.begin(), added_.end(), [](const Added& left, const Added& right) {
    return std::tie(left.day, left.bucket, left.entry) <
           std::tie(right.day, right.bucket, right.entry);
  });
  std::vector<kv::KeyValue> rows;
  const StreamTag* last = nullptr;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < added_.size(); ++i) {
    const Added& one = added_[i];
    const bool is_other_day = one.day != added_[begin].day;
    if (is_other_day || one.stream != last) add_name(one.day, *one.stream);
    last = one.stream;
    if (!is_other_day && one.bucket == added_[begin].bucket) continue;
    add_blocks(begin, i, rows);
    begin = i;
  }
  add_blocks(begin, added_.size(), rows);
  for (const std::size_t i : names_.take_new(repairs)) {
    const auto& [day, stream] = streams_[i];
    rows.push_back(
        {kv::Family::kLogs, search_key::streams(day, customer_).append(stream->text), ""});
  }
  added_.clear();
  return rows;
}

void LogIndexer::add_name(std::uint32_t day, const StreamTag& stream) {
  if (stream.text.empty()) return;
  const std::uint64_t own = (std::uint64_t{day} << 32U) | customer_.value;
  const std::uint64_t hash = stream.name ^ (own * 0x9e3779b97f4a7c15U);
  if (!names_.is_first(hash)) return;
  names_.add(hash);
  streams_.push_back({day, &stream});
}

// Of one bucket of a day.
void LogIndexer::add_blocks(std::size_t begin, std::size_t end,
                            std::vector<kv::KeyValue>& rows) const {
  if (begin == end) return;
  if (end - begin < kRecordsToShard) {
    add_block(begin, end, log_block::kAllShards, rows);
    return;
  }
  for (std::size_t at = begin; at < end;) {
    const std::uint8_t shard = log_block::shard_of(added_[at].entry.code);
    const std::size_t first = at;
    while (at < end && log_block::shard_of(added_[at].entry.code) == shard) ++at;
    add_block(first, at, shard, rows);
  }
}

void LogIndexer::add_block(std::size_t begin, std::size_t end, std::uint8_t shard,
                           std::vector<kv::KeyValue>& rows) const {
  std::vector<log_block::Entry> entries;
  entries.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i) entries.push_back(added_[i].entry);
  std::string value = log_block::encode(entries);
  std::string key = search_key::block(search_key::log_blocks(added_[begin].day, customer_, shard),
                                      added_[begin].bucket, value);
  rows.push_back({kv::Family::kLogs, std::move(key), std::move(value)});
}

}  // namespace vigia::storage::store::rocksdb::events
