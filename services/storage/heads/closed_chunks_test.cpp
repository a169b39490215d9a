#include "services/storage/heads/closed_chunks.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"
#include "services/storage/heads/testing/closed_chunks_fixture.hpp"

namespace vigia::storage::heads {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(ClosedChunksTest, WhatWaitsIsSeenUntilTheStoreHasIt) {
  ClosedChunks closed(series_, 1U << 20U);
  closed.add({1}, {row(7, 0), row(7, 1)}, 100);
  gate_.await_put();
  EXPECT_EQ(closed.rows_of({7}).size(), 2U);
  EXPECT_THAT(closed.rows_of({8}), IsEmpty());
  EXPECT_EQ(closed.newest({7}), kStart + 1'900);
  EXPECT_FALSE(closed.newest({8}).has_value());
  EXPECT_THAT(stored(1, 7), IsEmpty());
  gate_.open();
  ASSERT_TRUE(closed.await_stored(kLong));
  EXPECT_THAT(stored(1, 7), ElementsAre(kStart, kStart + 1'000));
  EXPECT_THAT(closed.rows_of({7}), IsEmpty());
  EXPECT_EQ(closed.stats().bytes, 0U);
}

TEST_F(ClosedChunksTest, TheOldestEpochStaysUntilTheStoreHasItsRows) {
  ClosedChunks closed(series_, 1U << 20U);
  EXPECT_EQ(closed.oldest(), kNoEpoch);
  closed.add({1}, {row(7, 0)}, 105);
  gate_.await_put();
  closed.add({1}, {row(8, 0)}, 103);
  closed.add({2}, {row(9, 0)}, 104);
  EXPECT_EQ(closed.oldest(), 103U);
  gate_.open();
  ASSERT_TRUE(closed.await_stored(kLong));
  EXPECT_EQ(closed.oldest(), kNoEpoch);
}

TEST_F(ClosedChunksTest, WhatTheStoreRefusesStaysAndIsTriedAgain) {
  gate_.refuse(2);
  gate_.open();
  ClosedChunks closed(series_, 1U << 20U);
  closed.add({1}, {row(7, 0)}, 100);
  while (!closed.await_stored(kLong)) std::this_thread::yield();  // it is told of each refusal
  EXPECT_THAT(stored(1, 7), ElementsAre(kStart));
  EXPECT_EQ(closed.stats().failures, 1U);
}

TEST_F(ClosedChunksTest, WhoeverWaitsForRoomHearsThatTheStoreRefuses) {
  gate_.refuse(1'000'000);
  gate_.open();
  ClosedChunks closed(series_, 1'000);
  EXPECT_TRUE(closed.await_room());
  closed.add({1}, {row(7, 0, 2'000)}, 100);
  const auto room = closed.await_room();
  ASSERT_FALSE(room.has_value());
  EXPECT_EQ(room.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(closed.await_much_room());
  EXPECT_EQ(closed.oldest(), 100U);
  gate_.refuse(0);
}

TEST_F(ClosedChunksTest, OneCustomersBurstNeitherRefusesNorDelaysTheOthers) {
  ClosedChunks closed(series_, 100'000);
  closed.add({1}, {row(1, 0)}, 100);
  gate_.await_put();  // while the store is busy
  for (int i = 1; i <= 300; ++i) closed.add({1}, {row(1, i)}, 100);
  closed.add({2}, {row(2, 0)}, 100);
  const auto refused = closed.check_room({1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(is_retryable(refused.error()));
  EXPECT_TRUE(closed.check_room({2}));
  EXPECT_TRUE(closed.check_room({3}));
  gate_.open();
  ASSERT_TRUE(closed.await_stored(kLong));
  EXPECT_TRUE(closed.check_room({1}));
  // Behind what was under way, and before the other's second turn.
  const auto turns = gate_.customers();
  ASSERT_GE(turns.size(), 3U);
  EXPECT_THAT(std::vector<std::string>(turns.begin(), turns.begin() + 3),
              ElementsAre("c-1", "c-2", "c-1"));
  EXPECT_EQ(stored(1, 1).size(), 301U);
  EXPECT_EQ(stored(2, 2).size(), 1U);
}

TEST_F(ClosedChunksTest, PastTheWholeBoundEverybodyIsRefused) {
  ClosedChunks closed(series_, 10'000);
  closed.add({1}, {row(1, 0, 20'000)}, 100);
  EXPECT_FALSE(closed.check_room({1}));
  EXPECT_FALSE(closed.check_room({2}));
}

// A damaged store may have lost who had a number of which its write-ahead log still has samples.
TEST_F(ClosedChunksTest, WhatIsOfANumberThatNobodyHasIsKeptUnderIt) {
  class NoNumbers final : public customers::CustomerNumbers {
   public:
    Result<void> keep_unowned(customers::CustomerNumber number,
                              std::span<const store::ClosedChunk> chunks) override {
      EXPECT_EQ(number.value, 1U);
      kept += chunks.size();
      return {};
    }
    std::size_t kept = 0;

    Result<customers::CustomerNumber> number_of(const CustomerId& /*customer*/) override {
      return fail(ErrorCode::kUnavailable, "no numbers here");
    }
    std::optional<CustomerId> id_of(customers::CustomerNumber number) const override {
      if (number.value == 1) return std::nullopt;
      return CustomerId::parse("c-2").value();
    }
  };
  gate_.open();
  NoNumbers numbers;
  StoredSeries series(gate_, numbers);
  EXPECT_THAT(series.read({1}, {1}, 0, INT64_MAX).value(), IsEmpty());
  EXPECT_FALSE(series.newest({1}, {1}, 0).value().has_value());
  ClosedChunks closed(series, 1U << 20U);
  closed.add({1}, {row(1, 0)}, 100);
  closed.add({2}, {row(2, 0)}, 101);
  ASSERT_TRUE(closed.await_stored(kLong));
  EXPECT_EQ(numbers.kept, 1U);
  EXPECT_EQ(stored(2, 2).size(), 1U);
  EXPECT_EQ(closed.oldest(), kNoEpoch);
}

TEST_F(ClosedChunksTest, OneBadChunkIsOneChunk) {
  gate_.poison(7);
  gate_.open();
  ClosedChunks closed(series_, 1'000);
  closed.add({1}, {row(7, 0, 2'000)}, 100);
  closed.add({1}, {row(8, 0)}, 101);
  while (stored(1, 8).empty()) std::this_thread::yield();
  // It waits, seen and with its log, and nobody for it.
  EXPECT_FALSE(closed.await_stored(kLong));
  EXPECT_EQ(closed.rows_of({7}).size(), 1U);
  EXPECT_EQ(closed.oldest(), 100U);
  closed.add({2}, {row(9, 0)}, 102);
  while (stored(2, 9).empty()) std::this_thread::yield();
  EXPECT_EQ(closed.stats().set_aside, 0U);
  gate_.poison(0);
  while (stored(1, 7).empty()) std::this_thread::yield();
}

TEST_F(ClosedChunksTest, WhatIsApartKeepsNobodyWaitingForRoom) {
  gate_.poison(7);
  gate_.open();
  ClosedChunks closed(series_, 10'000);
  closed.add({1}, {row(7, 0, 6'000)}, 100);
  (void)closed.await_stored(kLong);
  EXPECT_TRUE(closed.await_much_room());
  EXPECT_FALSE(closed.check_room({1}));
  EXPECT_TRUE(closed.check_room({2}));
  closed.add({1}, {row(7, 1, 6'000)}, 100);
  (void)closed.await_stored(kLong);
  EXPECT_FALSE(closed.await_room());  // it may not grow for ever
}

class SetAsideTest : public ClosedChunksTest {
 protected:
  // Series 7 is refused, series 8 taken, so that it is the first one's own fault.
  void close_a_bad_one(ClosedChunks& closed, std::size_t bytes = 4) {
    gate_.poison(7);
    gate_.open();
    closed.add({1}, {row(7, 0, bytes)}, 100);
    (void)closed.await_stored(kLong);
    closed.add({2}, {row(8, 0)}, 101);
    while (stored(2, 8).empty()) std::this_thread::yield();
  }
  // The writer has tried again: the store and, where it is time for that, the quarantine.
  void await_tries(int times) {
    const int before = gate_.begun();
    while (gate_.begun() < before + times) std::this_thread::yield();
  }
  static ClosedPatience hurried() {
    ClosedPatience patience;
    patience.first = patience.apart = std::chrono::milliseconds(1);
    patience.given_up = Duration(0);
    return patience;
  }
  void fail_disk(bool is_failing) {
    files_.fail_when([is_failing](std::string_view call, const std::string&) {
      return is_failing && call == "sync";
    });
  }

  disk_log::MemoryFiles files_;
  ManualClock clock_{kStart * 1'000'000};
  quarantine::ChunkQuarantine quarantine_{{"/q"}, files_, clock_};
  StoredSeries series_{gate_, numbers_, nullptr, &quarantine_};
};

TEST_F(SetAsideTest, WhatTheStoreNeverTakesIsInAFileBeforeTheLogGoes) {
  gate_.poison(7);
  gate_.open();
  ClosedChunks closed(series_, 1U << 20U, hurried());
  closed.add({1}, {row(7, 0), row(7, 1)}, 100);
  (void)closed.await_stored(kLong);
  EXPECT_EQ(closed.stats().set_aside, 0U);  // who knows whether the store takes anything
  EXPECT_EQ(closed.oldest(), 100U);
  closed.add({1}, {row(8, 0)}, 101);
  while (closed.stats().chunks > 0) std::this_thread::yield();
  EXPECT_EQ(closed.stats().set_aside, 2U);
  EXPECT_EQ(closed.stats().lost, 0U);
  EXPECT_THAT(closed.rows_of({7}), IsEmpty());
  EXPECT_EQ(closed.oldest(), kNoEpoch);
  EXPECT_EQ(closed.stats().bytes, 0U);
  const auto names = quarantine_.names();
  ASSERT_EQ(names.size(), 2U);
  const auto kept = quarantine_.read(names[1]);
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->customer->text(), "c-1");
  EXPECT_EQ(kept->row.series.value, 7U);
  EXPECT_EQ(kept->row.first_ms, kStart + 1'000);
  EXPECT_EQ(kept->row.data, "xxxx");
}

TEST_F(SetAsideTest, WhileTheQuarantineRefusesItStaysWithItsLogAndIsSeen) {
  fail_disk(true);
  ClosedChunks closed(series_, 1U << 20U, hurried());
  close_a_bad_one(closed);
  await_tries(5);
  EXPECT_EQ(closed.rows_of({7}).size(), 1U);
  EXPECT_EQ(closed.oldest(), 100U);
  EXPECT_EQ(closed.stats().set_aside, 0U);
  EXPECT_TRUE(closed.await_much_room());  // and nobody waits for it
  fail_disk(false);
  while (closed.stats().set_aside == 0) std::this_thread::yield();
  EXPECT_EQ(closed.stats().lost, 0U);
  EXPECT_EQ(quarantine_.names().size(), 1U);
}

TEST_F(SetAsideTest, WithoutAQuarantineItStaysToo) {
  StoredSeries series(gate_, numbers_);
  ClosedChunks closed(series, 1U << 20U, hurried());
  close_a_bad_one(closed);
  await_tries(5);
  EXPECT_EQ(closed.oldest(), 100U);
  gate_.poison(0);
  while (stored(1, 7).empty()) std::this_thread::yield();
}

// It would refuse everybody's samples for one's.
TEST_F(SetAsideTest, WhatCanBePutNowhereIsLostWhereTheLogIsShort) {
  fail_disk(true);
  ClosedChunks closed(series_, 1U << 20U, hurried());
  close_a_bad_one(closed);
  await_tries(5);
  EXPECT_EQ(closed.stats().lost, 0U);
  closed.set_log_short(true);
  while (closed.stats().chunks > 0) std::this_thread::yield();
  EXPECT_EQ(closed.stats().lost, 1U);
  EXPECT_EQ(closed.stats().set_aside, 1U);
  EXPECT_EQ(closed.oldest(), kNoEpoch);
}

TEST_F(SetAsideTest, WhatCanBePutNowhereIsLostWhereItWouldFillTheBound) {
  fail_disk(true);
  ClosedChunks closed(series_, 10'000, hurried());
  close_a_bad_one(closed, 6'000);
  while (closed.stats().chunks > 0) std::this_thread::yield();
  EXPECT_EQ(closed.stats().lost, 1U);
}

TEST_F(SetAsideTest, BeforeItsHalfHourNothingIsLost) {
  fail_disk(true);
  ClosedPatience patience = hurried();
  patience.given_up = std::chrono::minutes(30);
  ClosedChunks closed(series_, 10'000, patience);
  closed.set_log_short(true);
  close_a_bad_one(closed, 6'000);
  await_tries(5);
  EXPECT_EQ(closed.stats().chunks, 1U);
  EXPECT_EQ(closed.stats().lost, 0U);
  // A file is no loss: before it would stop others it need not wait.
  fail_disk(false);
  while (closed.stats().chunks > 0) std::this_thread::yield();
  EXPECT_EQ(quarantine_.names().size(), 1U);
}

TEST_F(SetAsideTest, WithRoomItHasItsHalfHour) {
  ClosedPatience patience = hurried();
  patience.given_up = std::chrono::minutes(30);
  ClosedChunks closed(series_, 1U << 20U, patience);
  close_a_bad_one(closed);
  await_tries(5);
  EXPECT_EQ(closed.stats().set_aside, 0U);
  gate_.poison(0);
  while (stored(1, 7).empty()) std::this_thread::yield();
  EXPECT_THAT(quarantine_.names(), IsEmpty());
}

TEST_F(ClosedChunksTest, LittleMemoryIsNoBadChunk) {
  gate_.fail_memory(7, 10);
  ClosedPatience patience;
  patience.first = std::chrono::milliseconds(1);
  patience.given_up = Duration(0);
  ClosedChunks closed(series_, 1U << 20U, patience);
  closed.add({1}, {row(7, 0)}, 100);
  closed.add({2}, {row(8, 0)}, 100);  // which the store takes meanwhile
  gate_.open();
  while (closed.stats().chunks > 0) std::this_thread::yield();
  EXPECT_THAT(stored(1, 7), ElementsAre(kStart));
  EXPECT_EQ(closed.stats().set_aside, 0U);
}

TEST_F(ClosedChunksTest, MetricsAreAddedWhereTheStoreAsksForThem) {
  const CustomerId customer = numbers_.id_of({1}).value();
  std::vector<store::NewSeries> resolved(1);
  resolved[0].labels = Labels::from({{"__name__", "up"}});
  ASSERT_TRUE(memory_.catalog().resolve(customer, resolved));
  StoredSeries series(memory_.chunks(), numbers_, &memory_.catalog());
  ClosedChunks closed(series, 1U << 20U);
  const std::uint64_t id = resolved[0].id.value;
  closed.add({1}, {row(id, 0)}, 100);
  ASSERT_TRUE(closed.await_stored(kLong));
  EXPECT_EQ(series.read({1}, {id}, 0, INT64_MAX)->size(), 1U);
  EXPECT_EQ(series.newest({1}, {id}, 0).value(), kStart + 900);
  const store::SeriesKey key{"up", {id}};
  EXPECT_EQ(store::read_rows(memory_.chunks(), customer, key, {0, INT64_MAX})->size(), 1U);
}

}  // namespace
}  // namespace vigia::storage::heads
