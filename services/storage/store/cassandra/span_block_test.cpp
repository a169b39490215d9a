#include "services/storage/store/cassandra/span_block.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kBucket = 200'000'000;
const std::string kOne(kDigestBytes, '1');
const std::string kTwo(kDigestBytes, '2');

std::vector<BlockSpan> read(std::string_view block, bool is_sound = true) {
  BlockSpanReader reader(kBucket, block);
  std::vector<BlockSpan> spans;
  for (BlockSpan span; reader.next(span);) spans.push_back(span);
  EXPECT_EQ(reader.outcome().has_value(), is_sound);
  return spans;
}

TEST(SpanBlock, SpansComeBackTheLatestFirst) {
  const std::string a(kTraceIdBytes, 'a');
  const std::string b(kTraceIdBytes, 'b');
  const TimestampNs last = bucket_last(kBucket);
  const std::vector<BlockSpan> spans = {
      {bucket_begin(kBucket), b, kOne, kTwo, 5, 7, {1, 0xffff}, false},
      {last, b, kTwo, kOne, UINT64_MAX, 0, {}, false},
      {last, a, kOne, kTwo, 0, UINT32_MAX, {}, true}};
  const std::string block = encode_span_block(kBucket, spans);
  const auto found = read(block);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].trace_id, a);
  EXPECT_EQ(found[0].time_ns, last);
  EXPECT_TRUE(found[0].may_have(42));
  EXPECT_EQ(found[1].duration_ns, UINT64_MAX);
  EXPECT_EQ(found[1].resource, kTwo);
  EXPECT_EQ(found[1].scope, kOne);
  EXPECT_FALSE(found[1].may_have(1));
  EXPECT_EQ(found[2].time_ns, bucket_begin(kBucket));
  EXPECT_EQ(found[2].operation, 7U);
  EXPECT_THAT(found[2].tags, ElementsAre(1, 0xffff));
}

TEST(SpanBlock, ASpanOfMoreTagsThanAreToldApartMayHaveAny) {
  const std::string id(kTraceIdBytes, 'a');
  std::vector<std::pair<std::string, std::string>> tags;
  for (std::size_t i = 0; i < kSpanTagsMax; ++i) tags.emplace_back("k", std::to_string(i));
  const TimestampNs time_ns = bucket_begin(kBucket);
  BlockSpan span = block_span_of(time_ns, span_of(id, '1', time_ns, {.tags = tags}));
  EXPECT_FALSE(span.may_have_any_tag);
  EXPECT_TRUE(span.may_have(hash_tag("k", "63")));
  tags.emplace_back("k", "more");
  span = block_span_of(time_ns, span_of(id, '1', time_ns, {.tags = tags}));
  EXPECT_TRUE(span.may_have_any_tag);
  EXPECT_THAT(span.tags, IsEmpty());
}

TEST(SpanBlock, WhatIsCutOrNoBlockIsDamage) {
  const std::string id(kTraceIdBytes, 'a');
  const std::string block =
      encode_span_block(kBucket, {{bucket_last(kBucket), id, kOne, kTwo, 5, 7, {1, 2}, false}});
  EXPECT_EQ(read(block).size(), 1U);
  for (std::size_t bytes = 0; bytes < block.size(); ++bytes) {
    EXPECT_THAT(read(block.substr(0, bytes), false), IsEmpty()) << bytes;
  }
  EXPECT_EQ(read(block + "x", false).size(), 1U);
  std::string other = block;
  other[0] = 2;
  EXPECT_THAT(read(other, false), IsEmpty());
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
