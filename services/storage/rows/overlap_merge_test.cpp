#include "services/storage/rows/overlap_merge.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/heads/head.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::rows {
namespace {

constexpr std::size_t kMib = 1U << 20U;
using Values = std::map<TimestampMs, double>;

store::ChunkRow row_of(const Values& values, std::uint64_t version) {
  chunk::ChunkWriter writer;
  for (const auto& [time_ms, value] : values) writer.append({time_ms, value});
  return {{1},     values.begin()->first,    values.rbegin()->first,
          version, store::Encoding::kFloats, std::string(writer.bytes())};
}

// Every time once, in order; no row overlaps another.
Values values_of(const std::vector<store::ChunkRow>& rows) {
  Values values;
  TimestampMs last_ms = -1;
  for (const store::ChunkRow& row : rows) {
    EXPECT_GT(row.first_ms, last_ms);
    const auto samples = chunk::read_samples(row.data).value();
    for (const Sample& sample : samples) {
      EXPECT_GT(sample.timestamp_ms, last_ms);
      last_ms = sample.timestamp_ms;
      values.emplace(sample.timestamp_ms, sample.value);
    }
    EXPECT_EQ(row.last_ms, last_ms);
  }
  return values;
}

class OverlapMergeTest : public testing::Test {
 protected:
  lanes::CustomerShares shares_{"answers", 512 * kMib};
  lanes::AnswerMemory memory_{shares_, "a"};
};

// A roll-up that was made anew takes the place of the one before it.
TEST_F(OverlapMergeTest, OfRollUpsTheHighestVersionStays) {
  const std::vector<store::ChunkRow> rows = {row_of({{0, 1}, {10, 1}}, 1), row_of({{10, 2}}, 2)};
  const auto raw = merge_overlapping(rows, memory_).value().rows;
  EXPECT_EQ(values_of(raw), (Values{{0, 1}, {10, 1}}));
  const auto rolled_up = merge_overlapping(rows, memory_, Resolution::kHour).value().rows;
  EXPECT_EQ(values_of(rolled_up), (Values{{0, 1}, {10, 2}}));
}

TEST_F(OverlapMergeTest, WhatOverlapsNothingStaysAsItIs) {
  const store::ChunkRow alone = row_of({{0, 1}, {10, 2}}, store::kInOrder);
  const auto rows = merge_overlapping({alone, row_of({{20, 1}, {40, 2}}, store::kInOrder),
                                       row_of({{30, 3}}, 7), row_of({{50, 9}}, store::kInOrder)},
                                      memory_)
                        .value()
                        .rows;
  EXPECT_EQ(rows.front().data, alone.data);
  EXPECT_EQ(values_of(rows), (Values{{0, 1}, {10, 2}, {20, 1}, {30, 3}, {40, 2}, {50, 9}}));
  EXPECT_EQ(memory_.used(), 0U);
}

TEST_F(OverlapMergeTest, OfRowsThatCannotBeReadTheOthersStay) {
  store::ChunkRow bad = row_of({{15, 1}, {45, 2}}, 3);
  bad.data.resize(bad.data.size() / 2);
  store::ChunkRow strange = row_of({{12, 1}, {13, 2}}, 4);
  strange.encoding = static_cast<store::Encoding>(99);
  const std::vector<store::ChunkRow> rows = {row_of({{10, 1}, {20, 2}}, store::kInOrder), strange,
                                             bad, row_of({{18, 5}, {30, 3}}, 9),
                                             row_of({{40, 4}, {50, 5}}, store::kInOrder)};
  const auto merged = merge_overlapping(rows, memory_).value();
  EXPECT_EQ(values_of(merged.rows), (Values{{10, 1}, {18, 5}, {20, 2}, {30, 3}, {40, 4}, {50, 5}}));
  EXPECT_EQ(merged.unreadable, 2U);
  const auto nothing = merge_overlapping({bad, strange}, memory_).value();
  EXPECT_TRUE(nothing.rows.empty());
  EXPECT_EQ(nothing.unreadable, 2U);
}

TEST_F(OverlapMergeTest, OfOneTimeTheLowestVersionStays) {
  const auto rows =
      merge_overlapping({row_of({{10, 1}, {20, 1}}, store::kInOrder),
                         row_of({{10, 5}, {20, 5}, {25, 5}}, 8), row_of({{20, 4}, {25, 4}}, 7)},
                        memory_)
          .value()
          .rows;
  EXPECT_EQ(values_of(rows), (Values{{10, 1}, {20, 1}, {25, 4}}));
}

// Rows of random stretches, in one chain that is far longer than what is unpacked at once.
TEST_F(OverlapMergeTest, InPiecesAsAllAtOnce) {
  std::mt19937_64 random(7);
  std::vector<store::ChunkRow> rows;
  for (int i = 0; i < 4'000; ++i) {
    Values values;
    const auto begin = static_cast<TimestampMs>(random() % 4'000'000);
    const std::uint64_t count = 1 + random() % 200;
    for (std::uint64_t n = 0; n < count; ++n) {
      values.emplace(begin + static_cast<TimestampMs>(random() % 9'000), random() % 8);
    }
    rows.push_back(row_of(values, random() % 3 == 0 ? store::kInOrder : 1 + random() % 1'000'000));
  }
  std::sort(
      rows.begin(), rows.end(), [](const store::ChunkRow& left, const store::ChunkRow& right) {
        return std::pair(left.first_ms, left.version) < std::pair(right.first_ms, right.version);
      });
  const auto expected =
      values_of(heads::pack_rows({1}, store::merge_rows(rows)->samples, store::kInOrder));
  EXPECT_GT(expected.size(), 150'000U);
  EXPECT_EQ(values_of(merge_overlapping(rows, memory_).value().rows), expected);
}

TEST_F(OverlapMergeTest, MoreThanTheShareAllowsIsRefusedBeforeItIsUnpacked) {
  lanes::CustomerShares small("answers", 2 * kMib);
  lanes::AnswerMemory memory(small, "a");
  std::vector<store::ChunkRow> rows;
  for (int row = 0; row < 200; ++row) {
    Values values;
    for (int n = 0; n < 200; ++n) values.emplace(n * 200 + row, 1);
    rows.push_back(row_of(values, 1));
  }
  const auto refused = merge_overlapping(std::move(rows), memory);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
}

}  // namespace
}  // namespace vigia::storage::rows
