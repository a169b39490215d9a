// What spans of one service and one bucket of time are found by: when, how long, of which operation
// and with which tags. Format: docs/formats/cassandra-store.md, "Finding spans".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::store::cassandra {

/// Of times: 8.6 s each. A block holds spans of one alone.
inline constexpr unsigned kBucketBits = 33;
constexpr std::int64_t bucket_of(TimestampNs time_ns) {
  return static_cast<std::int64_t>(time_ns >> kBucketBits);
}
constexpr TimestampNs bucket_begin(std::int64_t bucket) {
  return static_cast<TimestampNs>(bucket) << kBucketBits;
}
constexpr TimestampNs bucket_last(std::int64_t bucket) {
  return bucket_begin(bucket) | ((TimestampNs{1} << kBucketBits) - 1);
}

/// Of a span's own tags so many are told apart.
inline constexpr std::size_t kSpanTagsMax = 64;
inline constexpr std::size_t kDigestBytes = 16;

std::uint16_t hash_tag(std::string_view key, std::string_view value);
std::uint32_t hash_operation(std::string_view name);

/// What a block says of a span. The tags that its resource and its scope have are read there.
struct BlockSpan {
  TimestampNs time_ns = 0;
  std::string_view trace_id;  ///< kTraceIdBytes
  std::string_view resource;  ///< digests, kDigestBytes each
  std::string_view scope;
  std::uint64_t duration_ns = 0;
  std::uint32_t operation = 0;
  std::vector<std::uint16_t> tags = {};  ///< hashes, in order, each once
  bool may_have_any_tag = false;         ///< there were too many
  bool may_have(std::uint16_t tag) const;
};
/// From the span itself. Throws protozero::exception on damaged bytes.
BlockSpan block_span_of(TimestampNs time_ns, std::string_view span);

/// All times lie in the bucket; puts them in order, the latest first.
std::string encode_span_block(std::int64_t bucket, std::vector<BlockSpan> spans);

/// Thread contract: one thread.
class BlockSpanReader {
 public:
  /// `bytes` must outlive it, and what `next` gives.
  BlockSpanReader(std::int64_t bucket, std::string_view bytes);
  /// False at the end, or at the damage.
  bool next(BlockSpan& span);
  /// kCorrupt for what encode_span_block did not make.
  Result<void> outcome() const;

 private:
  struct Origin {
    std::string_view resource;
    std::string_view scope;
  };

  const std::int64_t bucket_;
  ByteReader reader_;
  bool is_known_;
  std::vector<Origin> origins_;
  std::uint64_t left_ = 0;
  TimestampNs rest_ns_ = 0;  // of the span before, from the bucket's begin
};

}  // namespace vigia::storage::store::cassandra
