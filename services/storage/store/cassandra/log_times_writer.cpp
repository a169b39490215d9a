#include "services/storage/store/cassandra/log_times_writer.hpp"

#include <algorithm>

#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/stream_selector.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::shared_ptr<const StreamKey> stream_key_of(std::string_view resource) {
  if (resource.size() > kStreamResourceBytesMax) return nullptr;
  auto key = std::make_shared<StreamKey>();
  key->stream = stream_of(resource);
  std::string text;
  for (const std::string* label :
       {&key->stream.service_name, &key->stream.node_id, &key->stream.environment}) {
    append_sized(text, *label);
    key->is_listed = key->is_listed && label->size() <= kListedNameMax;
  }
  key->digest = digest_of(text);
  return key;
}

std::string encode_times(TimestampNs slot_begin, const std::set<TimestampNs>& times) {
  std::string bytes(1, static_cast<char>(kVersion));
  TimestampNs before = slot_begin;
  for (const TimestampNs time_ns : times) {
    append_varint(bytes, time_ns - before);
    before = time_ns;
  }
  return bytes;
}

Result<void> decode_times(TimestampNs slot_begin, std::string_view bytes,
                          std::vector<TimestampNs>& times) {
  ByteReader reader(bytes);
  const bool is_known = reader.read_u8() == kVersion;
  TimestampNs time_ns = slot_begin;
  while (is_known && reader.ok() && !reader.rest().empty()) {
    time_ns += reader.read_varint();
    if (!reader.ok() || time_ns - slot_begin >= kSlotNs) {
      return fail(ErrorCode::kCorrupt, "a damaged row of log_times");
    }
    times.push_back(time_ns);
  }
  if (is_known) return {};
  return fail(ErrorCode::kCorrupt, "a row of log_times of another version");
}

void LogTimesWriter::add(TimestampNs time_ns, const std::shared_ptr<const StreamKey>& stream) {
  if (stream == nullptr) return;
  const auto slot = static_cast<std::int32_t>(time_ns / kSlotNs);
  Block& block = blocks_[{slot, stream->digest}];
  block.stream = stream;
  block.times.insert(time_ns);
}

void LogTimesWriter::send(Requests& requests) {
  for (const auto& [key, block] : blocks_) send_block(key.slot, block, requests);
  blocks_.clear();
}

void LogTimesWriter::note_written() {
  places_.noted().add(noted_);
  noted_.clear();
}

void LogTimesWriter::send_block(std::int32_t slot, const Block& block, Requests& requests) {
  const auto day = static_cast<std::uint32_t>(slot) / kSlotsOfDay;
  const StreamKey& stream = *block.stream;
  if (!stream.is_listed) {
    places_.write(customer_, {PlaceKind::kLogStreams, day}, kUnlisted, live_seconds_, requests,
                  noted_);
    return;
  }
  const std::string times = encode_times(static_cast<TimestampNs>(slot) * kSlotNs, block.times);
  const std::uint64_t hash = XXH3_64bits(times.data(), times.size());
  const EventPlace place{PlaceKind::kLogTimes, day, stream.digest};
  const Shard shard = places_.shard_for(customer_, place, hash, times.size());
  BoundCells cells;
  cells.add_text(customer_.text()).add_int(day_column(day)).add_blob(stream.digest);
  cells.add_int(shard.number).add_int(slot).add_bigint(static_cast<std::int64_t>(hash));
  cells.add_blob(times).add_int(live_seconds_);
  requests.add(*statements_.write_log_times, cells);
  places_.write(customer_, place, shard, live_seconds_, requests, noted_);
  send_stream(day, stream, requests);
}

void LogTimesWriter::send_stream(std::uint32_t day, const StreamKey& stream, Requests& requests) {
  std::string key(customer_.text());
  append_u32(key, day);
  key += stream.digest;
  append_u32(key, static_cast<std::uint32_t>(live_seconds_));
  const std::uint64_t row = places_.hash_of(key);
  if (places_.noted().has(row)) return;
  if (std::find(noted_.begin(), noted_.end(), row) != noted_.end()) return;
  noted_.push_back(row);
  const LogStream& labels = stream.stream;
  const EventPlace place{PlaceKind::kLogStreams, day};
  const std::uint64_t hash = XXH3_64bits(stream.digest.data(), stream.digest.size());
  const std::size_t bytes = stream.digest.size() + labels.service_name.size() +
                            labels.node_id.size() + labels.environment.size();
  const Shard shard = places_.shard_for(customer_, place, hash, bytes);
  BoundCells cells;
  cells.add_text(customer_.text()).add_int(day_column(day)).add_int(shard.number);
  cells.add_blob(stream.digest).add_blob(labels.service_name).add_blob(labels.node_id);
  cells.add_blob(labels.environment).add_int(live_seconds_);
  requests.add(*statements_.write_log_stream, cells);
  places_.write(customer_, place, shard, live_seconds_, requests, noted_);
}

}  // namespace vigia::storage::store::cassandra
