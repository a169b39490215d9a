#include "services/storage/store/cassandra/span_block.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <xxhash.h>

#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::uint8_t kVersion = 1;

class ShortTagHasher final : public TagVisitor {
 public:
  explicit ShortTagHasher(BlockSpan& span) : span_(span) {}
  bool on_tag(std::string_view key, const TagValue& value) override {
    span_.tags.push_back(hash_tag(key, value.as_text(scratch_)));
    return span_.tags.size() <= kSpanTagsMax;
  }

 private:
  BlockSpan& span_;
  std::string scratch_;
};

void append_span(std::string& out, const BlockSpan& span, std::uint64_t behind_ns,
                 std::uint64_t origin) {
  append_varint(out, behind_ns);
  out += span.trace_id;
  append_varint(out, origin);
  append_varint(out, span.duration_ns);
  append_u32(out, span.operation);
  append_varint(out, span.may_have_any_tag ? 0 : span.tags.size() + 1);
  if (span.may_have_any_tag) return;
  for (const std::uint16_t tag : span.tags) {
    out += static_cast<char>(tag & 0xffU);
    out += static_cast<char>(tag >> 8U);
  }
}

}  // namespace

std::uint16_t hash_tag(std::string_view key, std::string_view value) {
  // The length stands between both, or a byte could change sides.
  const std::uint64_t seed = XXH3_64bits_withSeed(key.data(), key.size(), key.size());
  return static_cast<std::uint16_t>(XXH3_64bits_withSeed(value.data(), value.size(), seed));
}

std::uint32_t hash_operation(std::string_view name) {
  return static_cast<std::uint32_t>(XXH3_64bits(name.data(), name.size()));
}

bool BlockSpan::may_have(std::uint16_t tag) const {
  return may_have_any_tag || std::binary_search(tags.begin(), tags.end(), tag);
}

BlockSpan block_span_of(TimestampNs time_ns, std::string_view bytes) {
  const SpanOutline outline = outline_of(bytes);
  BlockSpan span;
  span.time_ns = time_ns;
  span.trace_id = outline.trace_id;
  span.duration_ns = outline.duration_ns();
  span.operation = hash_operation(outline.name);
  ShortTagHasher hasher(span);
  span.may_have_any_tag = !visit_span_tags(bytes, hasher);
  if (span.may_have_any_tag) span.tags.clear();
  std::sort(span.tags.begin(), span.tags.end());
  span.tags.erase(std::unique(span.tags.begin(), span.tags.end()), span.tags.end());
  return span;
}

std::string encode_span_block(std::int64_t bucket, std::vector<BlockSpan> spans) {
  std::sort(spans.begin(), spans.end(), [](const BlockSpan& left, const BlockSpan& right) {
    return std::tie(right.time_ns, left.trace_id, left.operation, left.duration_ns, left.tags) <
           std::tie(left.time_ns, right.trace_id, right.operation, right.duration_ns, right.tags);
  });
  std::map<std::pair<std::string_view, std::string_view>, std::uint64_t> origins;
  std::string heads;
  std::string rows;
  TimestampNs before_ns = bucket_last(bucket);
  for (const BlockSpan& span : spans) {
    const auto [at, is_new] = origins.try_emplace({span.resource, span.scope}, origins.size());
    if (is_new) heads.append(span.resource).append(span.scope);
    append_span(rows, span, before_ns - span.time_ns, at->second);
    before_ns = span.time_ns;
  }
  std::string block(1, static_cast<char>(kVersion));
  append_varint(block, origins.size());
  block += heads;
  append_varint(block, spans.size());
  return block += rows;
}

BlockSpanReader::BlockSpanReader(std::int64_t bucket, std::string_view bytes)
    : bucket_(bucket),
      reader_(bytes),
      is_known_(reader_.read_u8() == kVersion),
      rest_ns_(bucket_last(bucket) - bucket_begin(bucket)) {
  if (!is_known_) return;
  const std::uint64_t origins = reader_.read_varint();
  for (std::uint64_t i = 0; i < origins && reader_.ok(); ++i) {
    Origin origin;
    origin.resource = reader_.read_bytes(kDigestBytes);
    origin.scope = reader_.read_bytes(kDigestBytes);
    origins_.push_back(origin);
  }
  left_ = reader_.read_varint();
}

bool BlockSpanReader::next(BlockSpan& span) {
  if (!is_known_ || left_ == 0) return false;
  --left_;
  const std::uint64_t behind_ns = reader_.read_varint();
  span.trace_id = reader_.read_bytes(kTraceIdBytes);
  const std::uint64_t origin = reader_.read_varint();
  span.duration_ns = reader_.read_varint();
  span.operation = reader_.read_u32();
  const std::uint64_t tags = reader_.read_varint();
  span.may_have_any_tag = tags == 0;
  span.tags.clear();
  is_known_ =
      reader_.ok() && behind_ns <= rest_ns_ && origin < origins_.size() && tags <= kSpanTagsMax + 1;
  if (!is_known_) return false;
  rest_ns_ -= behind_ns;
  span.time_ns = bucket_begin(bucket_) + rest_ns_;
  span.resource = origins_[origin].resource;
  span.scope = origins_[origin].scope;
  for (std::uint64_t i = 1; i < tags; ++i) {
    const std::uint16_t low = reader_.read_u8();
    span.tags.push_back(static_cast<std::uint16_t>(low | (reader_.read_u8() << 8U)));
  }
  is_known_ = reader_.ok();
  return is_known_;
}

Result<void> BlockSpanReader::outcome() const {
  if (is_known_ && reader_.ok() && left_ == 0 && reader_.rest().empty()) return {};
  return fail(ErrorCode::kCorrupt, "a damaged row of span_blocks");
}

}  // namespace vigia::storage::store::cassandra
