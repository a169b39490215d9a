#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/heads/testing/closed_chunks_fixture.hpp"

namespace vigia::storage::heads {
namespace {

using ::testing::IsEmpty;

class ClosedGatheringTest : public ClosedChunksTest {};

TEST_F(ClosedGatheringTest, WhatIsGatheredIsSeenAndGoesTogetherWhenItIsMuch) {
  gate_.open();
  ClosedChunks closed(series_, 1U << 20U, {}, {std::chrono::hours(1), 64U << 10U});
  closed.add({2}, {row(9, 0)}, 100);
  closed.add({1}, {row(7, 0)}, 100);
  EXPECT_EQ(closed.oldest(), 100U);
  EXPECT_EQ(closed.rows_of({7}).size(), 1U);
  EXPECT_EQ(closed.newest({7}), kStart + 900);
  for (int i = 1; i < 100; ++i) closed.add({1}, {row(7, i, 1000)}, 100);
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (stored(1, 7).size() < 40 && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_GE(stored(1, 7).size(), 40U);
  EXPECT_LE(gate_.begun(), 4) << "by the 64 KiB, and not four, eight, sixteen at a time";
  EXPECT_THAT(stored(2, 9), IsEmpty());
  EXPECT_TRUE(closed.await_stored(kLong)) << "whoever waits for the end waits for no other chunk";
  EXPECT_EQ(stored(1, 7).size(), 100U);
  EXPECT_EQ(stored(2, 9).size(), 1U);
  EXPECT_EQ(closed.oldest(), kNoEpoch);
}

TEST_F(ClosedGatheringTest, WhatIsGatheredWaitsNoLongerThanItMay) {
  gate_.open();
  ClosedChunks closed(series_, 1U << 20U, {}, {std::chrono::milliseconds(20), 64U << 10U});
  closed.add({1}, {row(7, 0)}, 100);
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (closed.oldest() != kNoEpoch && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(stored(1, 7).size(), 1U);
}

TEST_F(ClosedGatheringTest, WhatIsGatheredGoesAtOnceWhereRoomIsShort) {
  gate_.open();
  ClosedChunks closed(series_, 256U << 10U, {}, {std::chrono::hours(1), 1U << 20U});
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(closed.await_much_room());
    closed.add({1}, {row(7, i, 1000)}, 100);
  }
  EXPECT_GE(stored(1, 7).size(), 130U) << "a quarter of the bound is for waiting";
}

TEST_F(ClosedGatheringTest, WhatIsGatheredAndWasRefusedWaitsForNoOtherAnyMore) {
  gate_.open();
  gate_.refuse(1);
  ClosedChunks closed(series_, 1U << 20U, {}, {std::chrono::hours(1), 64U << 10U});
  closed.add({1}, {row(7, 0)}, 100);
  EXPECT_FALSE(closed.await_stored(kLong));
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (closed.oldest() != kNoEpoch && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(stored(1, 7).size(), 1U);
  closed.add({1}, {row(7, 1)}, 100);
  EXPECT_TRUE(closed.await_stored(kLong)) << "the refusal has passed";
}

TEST_F(ClosedGatheringTest, OfWhatIsGatheredOneBadChunkIsOneChunk) {
  gate_.open();
  gate_.poison(50);
  ClosedChunks closed(series_, 1U << 20U, {}, {std::chrono::hours(1), 256U << 10U});
  for (int i = 0; i < 100; ++i) closed.add({1}, {row(static_cast<std::uint64_t>(i), i)}, 100);
  (void)closed.await_stored(kLong);
  std::size_t there = 0;
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (there < 99 && std::chrono::steady_clock::now() < end) {
    there = 0;
    for (std::uint64_t series = 0; series < 100; ++series) there += stored(1, series).size();
  }
  EXPECT_EQ(there, 99U);
  EXPECT_EQ(closed.rows_of({50}).size(), 1U);
  EXPECT_EQ(closed.oldest(), 100U) << "the log has it";
}

}  // namespace
}  // namespace vigia::storage::heads
