#include "services/storage/store/rocksdb/events/log_slots.hpp"

#include <algorithm>
#include <utility>

#include "services/storage/store/log_streams.hpp"
#include "services/storage/store/rocksdb/events/search_key.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events {

Result<std::optional<std::vector<std::uint32_t>>> codes_of(kv::OrderedStore& store,
                                                           customers::CustomerNumber customer,
                                                           std::uint32_t day,
                                                           const LabelMatchers& matchers,
                                                           const WorkLimit& limit) {
  using Codes = std::optional<std::vector<std::uint32_t>>;
  const std::string prefix = search_key::streams(day, customer);
  const auto scan = store.scan(kv::Family::kLogs, prefix, kv::after_prefix(prefix));
  std::vector<std::uint32_t> codes;
  std::size_t streams = 0;
  while (scan->next()) {
    if (limit.is_over() || ++streams > kDayStreamsMax) return Codes();
    const std::string_view text = scan->key().substr(prefix.size());
    const auto stream = search_key::stream_in(text);
    // What is no row of ours leads nowhere; damage is not looked for here.
    if (stream && !may_match(matchers, *stream)) continue;
    codes.push_back(log_block::code_of(search_key::hash_of(text)));
  }
  if (auto status = scan->status(); !status) return forward(status);
  if (codes.size() * 2 > streams) return Codes();
  codes.push_back(0);  // of the streams that are not listed
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return Codes(std::move(codes));
}

LogBuckets::LogBuckets(kv::OrderedStore& store, customers::CustomerNumber customer,
                       const LogDay& of, std::vector<std::uint32_t> codes)
    : codes_(std::move(codes)), is_backward_(of.is_backward) {
  add_shard(store, search_key::log_blocks(of.day, customer, log_block::kAllShards), of);
  int last = -1;
  for (const std::uint32_t code : codes_) {
    const std::uint8_t shard = log_block::shard_of(code);
    if (shard == last) continue;
    last = shard;
    add_shard(store, search_key::log_blocks(of.day, customer, shard), of);
  }
}

void LogBuckets::add_shard(kv::OrderedStore& store, std::string prefix, const LogDay& of) {
  std::string from = prefix;
  kv::append_key_u32(from, log_block::bucket_of(of.from_ns));
  std::string to = prefix;
  kv::append_key_u32(to, log_block::bucket_of(of.to_ns) + 1);
  auto scan = is_backward_ ? store.scan_back(kv::Family::kLogs, from, to)
                           : store.scan(kv::Family::kLogs, from, to);
  shards_.push_back({std::move(prefix), std::move(scan), std::nullopt});
}

Result<void> LogBuckets::move(Rows& rows) {
  rows.bucket.reset();
  while (!rows.bucket && rows.scan->next()) {
    rows.bucket = search_key::bucket_in(rows.scan->key().substr(rows.prefix.size()));
  }
  return rows.bucket ? Result<void>() : rows.scan->status();
}

std::optional<std::uint32_t> LogBuckets::next_bucket() const {
  std::optional<std::uint32_t> next;
  for (const Rows& rows : shards_) {
    if (!rows.bucket) continue;
    const bool is_first = !next || (is_backward_ ? *rows.bucket > *next : *rows.bucket < *next);
    if (is_first) next = rows.bucket;
  }
  return next;
}

Result<void> LogBuckets::read(Rows& rows, DamagedItems& damaged) {
  if (const auto read = log_block::read(rows.scan->value(), codes_, slots_); !read) {
    const auto goes_on = damaged.left_out(read.error());
    if (!goes_on) return forward(goes_on);
    slots_.add_all();
  }
  return move(rows);
}

Result<bool> LogBuckets::next(DamagedItems& damaged, const WorkLimit& limit) {
  if (!has_begun_) {
    for (Rows& rows : shards_) {
      if (auto moved = move(rows); !moved) return forward(moved);
    }
    has_begun_ = true;
  }
  const auto bucket = next_bucket();
  if (!bucket) return false;
  bucket_ = *bucket;
  slots_.clear();
  for (Rows& rows : shards_) {
    while (rows.bucket == bucket_) {
      if (limit.is_over()) return false;
      if (auto read_one = read(rows, damaged); !read_one) return forward(read_one);
    }
  }
  return true;
}

}  // namespace vigia::storage::store::rocksdb::events
