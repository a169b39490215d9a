#include "services/storage/store/rocksdb/kv_chunk_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "libs/rollup/window_record.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/kv_due_days.hpp"
#include "services/storage/store/rocksdb/testing/rows_of.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

constexpr TimestampMs kDay = 24 * 3'600'000;
constexpr TimestampMs kStart = 20'000 * kDay;

class KvChunkStoreTest : public testing::Test {
 protected:
  KvChunkStoreTest() {
    store_ = kv::open_rocksdb({folder_.path()}).value();
    reopen();
  }
  void reopen() { chunks_ = KvChunkStore::open(*store_).value(); }
  void put(std::uint32_t customer, std::uint64_t series, TimestampMs first, TimestampMs last,
           std::uint64_t version = kInOrder) {
    const ChunkRow row{{series}, first, last, version, Encoding::kFloats, "data"};
    ASSERT_TRUE(chunks_->put({customer}, {row}).has_value());
  }
  std::vector<TimestampMs> starts(std::uint32_t customer, std::uint64_t series, TimestampMs from,
                                  TimestampMs to) {
    std::vector<TimestampMs> found;
    const auto rows = rows_of(*chunks_, {customer}, {series}, {from, to}).value();
    for (const ChunkRow& row : rows) found.push_back(row.first_ms);
    return found;
  }

  TemporaryFolder folder_;
  std::unique_ptr<kv::OrderedStore> store_;
  std::unique_ptr<KvChunkStore> chunks_;
};

TEST_F(KvChunkStoreTest, ReadsTheRowsThatOverlapARange) {
  put(1, 7, kStart, kStart + 1000);
  put(1, 7, kStart + 2000, kStart + 3000);
  put(1, 8, kStart, kStart + 9000);
  put(2, 7, kStart, kStart + 9000);
  EXPECT_THAT(starts(1, 7, kStart + 500, kStart + 1500), testing::ElementsAre(kStart));
  EXPECT_THAT(starts(1, 7, kStart + 1000, kStart + 2000),
              testing::ElementsAre(kStart, kStart + 2000));
  EXPECT_THAT(starts(1, 7, kStart + 1001, kStart + 1999), testing::IsEmpty());
  EXPECT_THAT(starts(1, 7, 0, INT64_MAX), testing::ElementsAre(kStart, kStart + 2000));
}

TEST_F(KvChunkStoreTest, AChunkThatReachesIntoTheNextDayIsFound) {
  put(1, 7, kStart - 1000, kStart + kChunkSpanMs - 1000);
  EXPECT_THAT(starts(1, 7, kStart + kChunkSpanMs - 1000, kStart + kDay),
              testing::ElementsAre(kStart - 1000));
}

TEST_F(KvChunkStoreTest, LateRowsComeAfterTheInOrderRowOfTheSameStart) {
  put(1, 7, kStart, kStart + 1, 5);
  put(1, 7, kStart, kStart + 2);
  const auto rows = rows_of(*chunks_, {1}, {7}, {kStart, kStart}).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].version, kInOrder);
  EXPECT_EQ(rows[1].version, 5U);
}

TEST_F(KvChunkStoreTest, NewestPassesOverLateRows) {
  EXPECT_FALSE(chunks_->newest({1}, {7}, kStart)->has_value());
  put(1, 7, kStart, kStart + 1000);
  put(1, 7, kStart + 3 * kDay, kStart + 3 * kDay + 5);
  put(1, 7, kStart + 4 * kDay, kStart + 4 * kDay, 9);
  EXPECT_EQ(chunks_->newest({1}, {7}, kStart)->value(), kStart + 3 * kDay + 5);
  EXPECT_FALSE(chunks_->newest({1}, {7}, kStart + 3 * kDay + 6)->has_value());
}

TEST_F(KvChunkStoreTest, ExpiryDropsWholeDaysOnly) {
  put(1, 7, kStart, kStart + 1000);
  put(1, 7, kStart + kDay, kStart + kDay + 1000);
  EXPECT_EQ(chunks_->expire(kStart + kDay + kChunkSpanMs - 1).value(), 0U);
  EXPECT_EQ(chunks_->expire(kStart + kDay + kChunkSpanMs).value(), 1U);
  EXPECT_THAT(starts(1, 7, 0, INT64_MAX), testing::ElementsAre(kStart + kDay));
  reopen();
  EXPECT_THAT(starts(1, 7, 0, INT64_MAX), testing::ElementsAre(kStart + kDay));
}

// docs/formats/cold-store.md, rows as they are: a change here is a change of what lies on disks.
TEST_F(KvChunkStoreTest, RowsLookAsTheFormatPageSays) {
  ASSERT_TRUE(chunks_->put({3}, {{{7}, kStart + 5, kStart + 305, 2, Encoding::kHistograms, "ab"}})
                  .has_value());
  const auto scan = store_->scan(kv::Family::kChunks, "", "");
  ASSERT_TRUE(scan->next());
  EXPECT_EQ(to_hex(scan->key()),
            "00004e20"          // day 20,000
            "00000003"          // customer
            "0000000000000007"  // series
            "8000019254d38005"  // first_ms, sign bit turned
            "0000000000000002"  // version
            "c8");              // encoding 200
  EXPECT_EQ(to_hex(scan->value()), "01ac026162");
}

TEST_F(KvChunkStoreTest, ChunksOfDecimalFractionsLiePackedAndComeBackByteForByte) {
  chunk::ChunkWriter decimals;
  chunk::ChunkWriter others;
  for (int i = 0; i < 240; ++i) {
    decimals.append({kStart + i * 15'000, (34'985 + i * i % 97) / 100.0});
    others.append({kStart + i * 15'000, 1.0 / (i + 3)});
  }
  const std::string chunks[] = {std::string(decimals.bytes()), std::string(others.bytes())};
  for (std::uint64_t i = 0; i < 2; ++i) {
    const ChunkRow row{{i + 1}, kStart, decimals.last_ms(), kInOrder, Encoding::kFloats, chunks[i]};
    ASSERT_TRUE(chunks_->put({1}, {row}).has_value());
  }
  const auto scan = store_->scan(kv::Family::kChunks, "", "");
  ASSERT_TRUE(scan->next());
  EXPECT_EQ(scan->value()[0], 2);
  EXPECT_LT(scan->value().size() * 3, chunks[0].size());
  ASSERT_TRUE(scan->next());
  EXPECT_EQ(scan->value()[0], 1);
  for (std::uint64_t i = 0; i < 2; ++i) {
    const auto rows = rows_of(*chunks_, {1}, {i + 1}, {kStart, kStart}).value();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(to_hex(rows[0].data), to_hex(chunks[i]));
  }
}

TEST_F(KvChunkStoreTest, ADamagedPackedRowIsNamed) {
  put(1, 7, kStart, kStart + 1);
  const auto scan = store_->scan(kv::Family::kChunks, "", "");
  ASSERT_TRUE(scan->next());
  const std::string key(scan->key());
  ASSERT_TRUE(store_->put({{kv::Family::kChunks, key, std::string("\x02\x01\x05", 3)}},
                          kv::Durability::kLater));
  const auto rows = rows_of(*chunks_, {1}, {7}, {kStart, kStart});
  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().code, ErrorCode::kCorrupt);
}

// What `vigia-storage verify` asks of each row.
TEST_F(KvChunkStoreTest, RowsOfRollUpsThatAreNoneAreFound) {
  const auto hours = KvChunkStore::open(*store_, Resolution::kHour).value();
  const std::vector<Sample> samples = {{kStart + 5, 1}, {kStart + 3'600'001, 2}};
  const auto windows = rollup::windows_of(samples, rollup::width_ms(Resolution::kHour));
  ChunkRow row{{7},
               kStart,
               windows.back().end_ms - 1,
               kInOrder,
               Encoding::kWindows,
               rollup::write_windows(windows, rollup::width_ms(Resolution::kHour))};
  const auto checked = [&](const ChunkRow& of) {
    const kv::KeyValue put = hours->row_of({1}, of);
    return check_rollup_row(Resolution::kHour, put.key, put.value).has_value();
  };
  EXPECT_TRUE(checked(row));
  EXPECT_TRUE(checked({{7}, kStart, kStart + kDay - 1, kInOrder, Encoding::kHistograms, ""}));
  EXPECT_FALSE(checked({{7}, kStart, kStart + kDay - 1, kInOrder, Encoding::kHistograms, "x"}));
  EXPECT_FALSE(checked({{7}, kStart, kStart + 9, kInOrder, Encoding::kFloats, row.data}));
  ChunkRow other = row;
  other.last_ms += 1;
  EXPECT_FALSE(checked(other));
  row.data.resize(row.data.size() / 2);
  EXPECT_FALSE(checked(row));
  EXPECT_FALSE(check_rollup_row(Resolution::kHour, "short", "").has_value());
}

TEST_F(KvChunkStoreTest, MarksThatAreNoneAreFound) {
  KvDueDays due_days(*store_);
  std::vector<kv::KeyValue> marks;
  due_days.add_marks({1}, {{7}, kStart + 1, kStart + 2, kInOrder, Encoding::kFloats, ""}, marks);
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_TRUE(check_due_row(marks[0].key, marks[0].value).has_value());
  EXPECT_FALSE(check_due_row(marks[0].key + "x", marks[0].value).has_value());
  EXPECT_FALSE(check_due_row(marks[0].key, marks[0].value.substr(1)).has_value());
  marks[0].value[0] = 9;
  EXPECT_FALSE(check_due_row(marks[0].key, marks[0].value).has_value());
  EXPECT_TRUE(check_due_row(std::string("\0\0\0\0note", 8), "what its writer says").has_value());
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb
