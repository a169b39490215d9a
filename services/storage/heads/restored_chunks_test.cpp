#include "services/storage/heads/restored_chunks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "libs/disk_log/testing/memory_files.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"
#include "services/storage/store/row_merge.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::heads {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::int64_t kNowNs = 1'764'043'260'000'000'000;
constexpr TimestampMs kStart = 1'764'043'200'000;

struct InMemory {
  store::ColdStore& store() { return cold; }
  store::MemoryColdStore cold;
};

struct OnRocksDb {
  store::ColdStore& store() { return *cold; }
  TemporaryFolder folder;
  SystemClock clock;
  std::unique_ptr<store::rocksdb::kv::OrderedStore> rows =
      store::rocksdb::kv::open_rocksdb({folder.path()}).value();
  std::unique_ptr<store::rocksdb::RocksDbColdStore> cold =
      store::rocksdb::RocksDbColdStore::open(*rows, clock, 1U << 20U).value();
};

// Refuses what a test says.
class FaultyStore final : public store::WatchedChunks {
 public:
  using store::WatchedChunks::WatchedChunks;
  void put(const CustomerId& customer, std::span<const store::ClosedChunk> chunks,
           Done done) override {
    if (refuses_all) return done(fail(ErrorCode::kUnavailable, "the disk is full"));
    for (const store::ClosedChunk& chunk : chunks) {
      if (chunk.row.series.value == poison) throw std::logic_error("a fault");
      if (chunk.row.series.value == unavailable) {
        return done(fail(ErrorCode::kUnavailable, "its rows cannot be read"));
      }
    }
    store::WatchedChunks::put(customer, chunks, std::move(done));
  }
  Result<void> sync() override {
    if (refuses_sync) return fail(ErrorCode::kUnavailable, "the disk is full");
    return store::WatchedChunks::sync();
  }

  std::uint64_t poison = 0;
  std::uint64_t unavailable = 0;
  bool refuses_all = false;
  bool refuses_sync = false;
};

template <typename Store>
class RestoredChunksTest : public testing::Test {
 protected:
  using Values = std::map<TimestampMs, double>;

  /// A row of series `series` from kStart + `from` on, a sample a millisecond.
  static store::ChunkRow row(std::uint64_t series, TimestampMs from,
                             const std::vector<double>& of) {
    chunk::ChunkWriter writer;
    TimestampMs at = kStart + from;
    for (const double value : of) writer.append({at++, value});
    return {{series},
            kStart + from,
            at - 1,
            store::kInOrder,
            store::Encoding::kFloats,
            std::string(writer.bytes())};
  }
  void open() { quarantine_.emplace(quarantine::QuarantineSettings{"/q"}, files_, clock_); }
  std::string keep(std::uint32_t number, store::ChunkRow row) {
    return quarantine_->keep({{number}, numbers_.id_of({number}), 0, std::move(row)}).value();
  }
  RestoreCounts restore() { return restore_chunks(*quarantine_, series_); }
  Values values(std::uint32_t number, std::uint64_t series) {
    const auto rows = series_.read({number}, {series}, 0, INT64_MAX).value();
    Values values;
    const store::MergedRows merged = store::merge_rows(rows).value();
    for (const Sample& sample : merged.samples) {
      values.emplace(sample.timestamp_ms - kStart, sample.value);
    }
    return values;
  }
  std::size_t rows(std::uint32_t number, std::uint64_t series) {
    return series_.read({number}, {series}, 0, INT64_MAX)->size();
  }

  Store store_;
  FaultyStore chunks_{store_.store().chunks()};
  TestNumbers numbers_;
  StoredSeries series_{chunks_, numbers_};
  disk_log::MemoryFiles files_;
  ManualClock clock_{kNowNs};
  std::optional<quarantine::ChunkQuarantine> quarantine_{
      std::in_place, quarantine::QuarantineSettings{"/q"}, files_, clock_};
};

using Stores = testing::Types<InMemory, OnRocksDb>;
TYPED_TEST_SUITE(RestoredChunksTest, Stores);

TYPED_TEST(RestoredChunksTest, WhatTheStoreTakesNowIsThereAndGoesFromTheFolder) {
  this->keep(1, this->row(7, 0, {1, 2}));
  this->keep(2, this->row(8, 5, {3}));
  const RestoreCounts counts = this->restore();
  EXPECT_EQ(counts.restored, 2U);
  EXPECT_EQ(counts.left + counts.damaged, 0U);
  EXPECT_EQ(counts.series_max.value, 8U);
  EXPECT_EQ(counts.customer_max.value, 2U);
  EXPECT_THAT(this->values(1, 7), ElementsAre(Pair(0, 1), Pair(1, 2)));
  EXPECT_THAT(this->values(2, 8), ElementsAre(Pair(5, 3)));
  EXPECT_THAT(this->values(2, 7), IsEmpty());
  EXPECT_THAT(this->files_.names("/q"), IsEmpty());
  EXPECT_EQ(this->restore().restored, 0U);
}

TYPED_TEST(RestoredChunksTest, WhatIsRefusedAgainStaysAndTheRestGoes) {
  const std::string bad = this->keep(1, this->row(7, 0, {1}));
  this->keep(1, this->row(8, 0, {2}));
  this->chunks_.poison = 7;
  const RestoreCounts counts = this->restore();
  EXPECT_EQ(counts.restored, 1U);
  EXPECT_EQ(counts.left, 1U);
  EXPECT_EQ(counts.series_max.value, 8U);
  EXPECT_THAT(this->quarantine_->names(), ElementsAre(bad));
  this->chunks_.poison = 0;
  this->open();
  EXPECT_EQ(this->restore().restored, 1U);
  EXPECT_THAT(this->values(1, 7), ElementsAre(Pair(0, 1)));
}

TYPED_TEST(RestoredChunksTest, NothingGoesBeforeItIsOnTheStoresDisk) {
  this->keep(1, this->row(7, 0, {1}));
  this->chunks_.refuses_sync = true;
  EXPECT_EQ(this->restore().left, 1U);
  EXPECT_EQ(this->quarantine_->stats().chunks, 1U);
  this->chunks_.refuses_sync = false;
  EXPECT_EQ(this->restore().restored, 1U);
  EXPECT_EQ(this->rows(1, 7), 1U);  // twice is once
}

TYPED_TEST(RestoredChunksTest, AStoreThatRefusesForNowIsNotAskedForEach) {
  this->keep(1, this->row(7, 0, {1}));
  this->keep(2, this->row(99, 0, {2}));
  this->chunks_.refuses_all = true;
  const RestoreCounts counts = this->restore();
  EXPECT_EQ(counts.left, 2U);
  EXPECT_EQ(counts.series_max.value, 99U);  // its number is taken all the same
  EXPECT_EQ(this->quarantine_->stats().chunks, 2U);
}

// What lies here was refused by itself while others were taken, and may be so again.
TYPED_TEST(RestoredChunksTest, ARefusalForNowKeepsNeitherTheCustomersOthersNorAnyoneElsesThere) {
  this->keep(1, this->row(7, 0, {1}));
  this->keep(1, this->row(8, 0, {2}));
  this->keep(2, this->row(9, 0, {3}));
  this->chunks_.unavailable = 7;
  const RestoreCounts counts = this->restore();
  EXPECT_EQ(counts.restored, 2U);
  EXPECT_EQ(counts.left, 1U);
  EXPECT_THAT(this->values(1, 8), ElementsAre(Pair(0, 2)));
  EXPECT_THAT(this->values(2, 9), ElementsAre(Pair(0, 3)));
}

TYPED_TEST(RestoredChunksTest, ManyRefusalsForNowOfOneCustomerKeepNobodyElsesThere) {
  for (TimestampMs from = 0; from < 20; ++from) this->keep(1, this->row(7, from * 10, {1}));
  this->keep(2, this->row(9, 0, {3}));
  this->chunks_.unavailable = 7;
  EXPECT_EQ(this->restore().restored, 1U);
  EXPECT_THAT(this->values(2, 9), ElementsAre(Pair(0, 3)));
}

TYPED_TEST(RestoredChunksTest, ADamagedFileIsOneFile) {
  const std::string bad = this->keep(1, this->row(7, 0, {1}));
  this->keep(1, this->row(8, 0, {2}));
  this->files_.set_content("/q/" + bad, this->files_.content("/q/" + bad).substr(1));
  const RestoreCounts counts = this->restore();
  EXPECT_EQ(counts.restored, 1U);
  EXPECT_EQ(counts.damaged, 1U);
  EXPECT_EQ(counts.left, 0U);
  EXPECT_THAT(this->values(1, 8), ElementsAre(Pair(0, 2)));
  EXPECT_THAT(this->files_.names("/q"), ElementsAre(bad + ".damaged"));
}

// The kill came after the file was written and before the log let go: the replay has stored it.
TYPED_TEST(RestoredChunksTest, WhatTheStoreHasAlreadyIsThereOnce) {
  store::ClosedChunk stored{"", this->row(7, 0, {1, 2}), Resolution::kRaw};
  ASSERT_TRUE(this->series_.put({1}, {&stored, 1}));
  this->keep(1, this->row(7, 0, {1, 2}));
  EXPECT_EQ(this->restore().restored, 1U);
  EXPECT_EQ(this->rows(1, 7), 1U);
}

// Its samples came anew, others behind them, and made a row of the same key.
TYPED_TEST(RestoredChunksTest, ARowInItsPlaceIsNotReplaced) {
  store::ClosedChunk stored{"", this->row(7, 0, {1, 2, 3}), Resolution::kRaw};
  ASSERT_TRUE(this->series_.put({1}, {&stored, 1}));
  for (int starts = 0; starts < 2; ++starts) {
    this->keep(1, this->row(7, 0, {9, 2}));
    EXPECT_EQ(this->restore().restored, 1U);
    EXPECT_EQ(this->rows(1, 7), 2U);
  }
  // Of two values at one time the one of the row that is there stays.
  EXPECT_THAT(this->values(1, 7), ElementsAre(Pair(0, 1), Pair(1, 2), Pair(2, 3)));
}

TYPED_TEST(RestoredChunksTest, AChunkOfAnotherCustomerThanHasItsNumberStays) {
  const auto other = this->numbers_.id_of({2});
  ASSERT_TRUE(this->quarantine_->keep({{1}, other, 0, this->row(7, 0, {1})}).has_value());
  EXPECT_EQ(this->restore().left, 1U);
  EXPECT_THAT(this->values(1, 7), IsEmpty());
  EXPECT_THAT(this->values(2, 7), IsEmpty());
}

}  // namespace
}  // namespace vigia::storage::heads
