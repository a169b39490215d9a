#include "services/storage/store/cassandra/span_block_writer.hpp"

#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

constexpr std::uint32_t kKindMax = 255;  // beyond is no kind

std::uint64_t hash_of(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

// The same again is the same row: a request that is sent once more stores nothing more.
std::int64_t block_number(std::uint64_t hash) { return static_cast<std::int64_t>(hash); }

}  // namespace

void SpanBlockWriter::add(const IndexedSpan& span) {
  traces_[span.day].insert(span.trace_id);
  if (span.service.empty()) return;
  BlockSpan found = block_span_of(span.time_ns, span.bytes);
  found.resource = span.resource;
  found.scope = span.scope;
  const BlockKey key{span.service, span.day, index_slot_of(span.time_ns), bucket_of(span.time_ns)};
  blocks_[key].push_back(std::move(found));
  add_names(span);
}

void SpanBlockWriter::add_names(const IndexedSpan& span) {
  const SpanOutline outline = outline_of(span.bytes);
  if (span.service.size() > kListedNameMax) return;
  names_.insert({span.day, "", std::string(span.service), 0});
  if (outline.name.size() > kListedNameMax) return;
  const auto kind = static_cast<std::int32_t>(outline.kind <= kKindMax ? outline.kind : 0);
  names_.insert({span.day, std::string(span.service), std::string(outline.name), kind});
}

void SpanBlockWriter::send(Requests& requests) {
  for (auto& [key, spans] : blocks_) send_block(key, spans, requests);
  for (const auto& [day, ids] : traces_) send_ids(day, ids, requests);
  for (const Name& name : names_) send_name(name, requests);
  blocks_.clear();
  traces_.clear();
  names_.clear();
}

void SpanBlockWriter::note_written() {
  places_.noted().add(noted_);
  noted_.clear();
}

void SpanBlockWriter::send_block(const BlockKey& key, std::vector<BlockSpan>& spans,
                                 Requests& requests) {
  const std::string block = encode_span_block(key.bucket, std::move(spans));
  const std::uint64_t hash = hash_of(block);
  const EventPlace place{PlaceKind::kSpanBlocks, key.day, key.service, key.slot};
  const Shard shard = places_.shard_for(customer_, place, hash, block.size());
  BoundCells cells;
  cells.add_text(customer_.text()).add_blob(key.service).add_int(key.slot).add_int(shard.number);
  cells.add_bigint(key.bucket).add_bigint(block_number(hash)).add_blob(block);
  cells.add_int(live_seconds_);
  requests.add(*statements_.write_span_block, cells);
  places_.write(customer_, place, shard, live_seconds_, requests, noted_);
}

void SpanBlockWriter::send_ids(std::uint32_t day, const std::set<std::string_view>& ids,
                               Requests& requests) {
  std::string all;
  for (const std::string_view id : ids) all += id;
  const std::uint64_t hash = hash_of(all);
  const EventPlace place{PlaceKind::kTraceIds, day};
  const Shard shard = places_.shard_for(customer_, place, hash, all.size());
  BoundCells cells;
  cells.add_text(customer_.text()).add_int(day_column(day)).add_int(shard.number);
  cells.add_bigint(block_number(hash)).add_blob(all).add_int(live_seconds_);
  requests.add(*statements_.write_trace_ids, cells);
  places_.write(customer_, place, shard, live_seconds_, requests, noted_);
}

void SpanBlockWriter::send_name(const Name& name, Requests& requests) {
  std::string key(customer_.text());
  append_u32(key, name.day);
  append_sized(key, name.service);
  append_sized(key, name.name);
  append_u32(key, static_cast<std::uint32_t>(name.kind));
  append_u32(key, static_cast<std::uint32_t>(live_seconds_));
  const std::uint64_t row = places_.hash_of(key);
  if (places_.noted().has(row)) return;
  noted_.push_back(row);
  const EventPlace place{PlaceKind::kSpanNames, name.day, name.service};
  const Shard shard = places_.shard_for(customer_, place, hash_of(name.name), name.name.size());
  BoundCells cells;
  cells.add_text(customer_.text()).add_int(day_column(name.day)).add_blob(name.service);
  cells.add_int(shard.number).add_blob(name.name).add_int(name.kind).add_int(live_seconds_);
  requests.add(*statements_.write_span_name, cells);
  places_.write(customer_, place, shard, live_seconds_, requests, noted_);
}

}  // namespace vigia::storage::store::cassandra
