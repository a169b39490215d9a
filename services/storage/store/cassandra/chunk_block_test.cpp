#include "services/storage/store/cassandra/chunk_block.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/hex.hpp"

namespace vigia::storage::store::cassandra {
namespace {

ChunkRow row(std::uint64_t series, TimestampMs first_ms, TimestampMs last_ms, std::string data,
             std::uint64_t version = kInOrder, Encoding encoding = Encoding::kFloats) {
  return {{series}, first_ms, last_ms, version, encoding, std::move(data)};
}

std::vector<ChunkBlock> blocks_of(const std::vector<ChunkRow>& rows) {
  std::vector<const ChunkRow*> pointers;
  for (const ChunkRow& one : rows) pointers.push_back(&one);
  return make_blocks(pointers);
}

bool is_same(const BlockedChunk& read, const ChunkRow& written) {
  return read.series == written.series && read.first_ms == written.first_ms &&
         read.last_ms == written.last_ms && read.version == written.version &&
         read.encoding == written.encoding && read.data == written.data;
}

TEST(ChunkBlock, RowsComeBackInOrder) {
  const std::vector<ChunkRow> rows = {
      row(9, -5, 7'200'000, "late", UINT64_MAX, Encoding::kHistograms),
      row(9, -5, -5, "in order"),
      row(UINT64_MAX >> 1U, INT64_MIN, INT64_MIN, ""),
      row(9, INT64_MAX, INT64_MAX, "last of nine"),
      row(2, 1'790'000'000'000, 1'790'000'001'000, "two"),
  };
  const auto blocks = blocks_of(rows);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].first_series.value, 2U);
  EXPECT_EQ(blocks[0].last_series.value, UINT64_MAX >> 1U);
  EXPECT_EQ(blocks[0].first_ms, INT64_MIN);
  EXPECT_EQ(blocks[0].last_ms, INT64_MAX);
  const auto read = read_block(blocks[0].data).value();
  ASSERT_EQ(read.size(), rows.size());
  const std::size_t order[] = {4, 1, 0, 3, 2};
  for (std::size_t i = 0; i < read.size(); ++i) EXPECT_TRUE(is_same(read[i], rows[order[i]])) << i;
}

// The bytes are on disk: another layout is another version.
TEST(ChunkBlock, BytesAreAsTheFormatSays) {
  const auto blocks = blocks_of({row(300, 1000, 3000, "ab"), row(301, 900, 900, "c", 5)});
  const std::string body = to_hex(blocks.at(0).data.substr(0, blocks[0].data.size() - 4));
  EXPECT_EQ(body,
            "01"                  // version
            "02"                  // rows
            "ac02d00fd00f000102"  // series 300, 1000 ms, 2000 ms long, in order, floats, 2
            "01c70100050101"      // series + 1, - 100 ms, one sample, version 5, floats, 1
            "616263");
}

TEST(ChunkBlock, BlocksAreOfLikeSizeAndALargeRowStandsAlone) {
  std::vector<ChunkRow> rows;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    rows.push_back(row(i + 1, 0, 1000, std::string(500, static_cast<char>(i))));
  }
  rows.push_back(row(5000, 0, 1000, std::string(1U << 20U, 'x')));
  rows.push_back(row(5001, 0, 1000, "y"));
  const auto blocks = blocks_of(rows);
  ASSERT_EQ(blocks.size(), 14U);
  std::size_t count = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::size_t bytes = blocks[i].data.size();
    count += read_block(blocks[i].data).value().size();
    const bool is_usual = bytes >= 32U << 10U && bytes <= kChunkBlockBytesMax;
    EXPECT_TRUE(is_usual || i >= 11) << i << " has " << bytes;
    EXPECT_TRUE(i == 0 || blocks[i].first_series > blocks[i - 1].last_series);
  }
  EXPECT_EQ(count, rows.size());
  EXPECT_EQ(blocks[12].first_series, blocks[12].last_series);
  EXPECT_TRUE(blocks_of({}).empty());
}

TEST(ChunkBlock, NoFlippedBitAndNoMissingEndIsServed) {
  const std::string good = blocks_of({row(3, 10, 20, "abc"), row(4, 10, 20, "def")}).at(0).data;
  ASSERT_TRUE(read_block(good));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << (bit % 8));
    EXPECT_EQ(read_block(bad).error().code, ErrorCode::kCorrupt) << bit;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(read_block(good.substr(0, size))) << size;
  }
}

TEST(ChunkBlock, AnyRowsComeBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 50; ++round) {
    std::vector<ChunkRow> rows;
    for (std::size_t i = random() % 200; i-- > 0;) {
      const auto first = static_cast<TimestampMs>(random());
      const auto span = static_cast<TimestampMs>(random() % 7'200'000);
      const TimestampMs last = first > INT64_MAX - span ? first : first + span;
      // Each another series, so that their order is known.
      rows.push_back(row((random() >> 13U << 8U) + i, first, last,
                         std::string(random() % 2'000, static_cast<char>(i)), random()));
    }
    std::vector<std::string> blocks;
    for (ChunkBlock& block : blocks_of(rows)) blocks.push_back(std::move(block.data));
    std::sort(rows.begin(), rows.end(), [](const ChunkRow& left, const ChunkRow& right) {
      return left.series < right.series;
    });
    std::size_t at = 0;
    for (const std::string& block : blocks) {
      const auto read_rows = read_block(block).value();
      for (const BlockedChunk& read : read_rows) {
        ASSERT_LT(at, rows.size());
        EXPECT_TRUE(is_same(read, rows[at++]));
      }
    }
    EXPECT_EQ(at, rows.size());
  }
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
