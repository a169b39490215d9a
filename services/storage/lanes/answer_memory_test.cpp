#include "services/storage/lanes/answer_memory.hpp"

#include <gtest/gtest.h>

namespace vigia::storage::lanes {
namespace {

constexpr std::size_t kMib = 1U << 20U;

TEST(AnswerMemoryTest, WhatIsAddedIsHeldUntilItIsReleased) {
  CustomerShares shares("answers", 64 * kMib);
  {
    AnswerMemory memory(shares, "a");
    EXPECT_TRUE(memory.add(10 * kMib));
    {
      const ScratchMemory scratch(memory);
      EXPECT_TRUE(memory.add(5 * kMib));
      EXPECT_EQ(shares.taken(), 15 * kMib);
    }
    EXPECT_EQ(shares.taken(), 10 * kMib);
    memory.release(4 * kMib);
    EXPECT_EQ(shares.taken(), 6 * kMib);
  }
  EXPECT_EQ(shares.taken(), 0U);
}

TEST(AnswerMemoryTest, AnAnswerThatCanNeverFitIsNotToBeTriedAgain) {
  CustomerShares shares("answers", 64 * kMib);
  AnswerMemory memory(shares, "a");
  EXPECT_TRUE(memory.add(32 * kMib));
  const auto over = memory.add(1);
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(memory.used(), 32 * kMib);
  AnswerMemory second(shares, "a");
  const auto refused = second.add(kMib);
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(is_retryable(refused.error()));
  AnswerMemory other(shares, "b");
  EXPECT_TRUE(other.add(16 * kMib));
}

TEST(AnswerMemoryTest, ALimitOfItsOwnOnlyNarrows) {
  CustomerShares shares("answers", 64 * kMib);
  AnswerMemory memory(shares, "a");
  memory.limit_to(100 * kMib);
  EXPECT_FALSE(memory.add(33 * kMib));
  memory.limit_to(2 * kMib);
  EXPECT_TRUE(memory.add(2 * kMib));
  const auto over = memory.add(1);
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(over.error().message, "the answer needs more than 2 MiB; ask for less of it at once");
}

TEST(AnswerMemoryTest, ManySmallPartsAreAllCounted) {
  CustomerShares shares("answers", 64 * kMib);
  AnswerMemory memory(shares, "a");
  std::size_t added = 0;
  while (memory.add(1'000)) added += 1'000;
  EXPECT_EQ(memory.used(), added);
  EXPECT_GT(added, 31 * kMib);
  EXPECT_LE(added, 32 * kMib);
}

}  // namespace
}  // namespace vigia::storage::lanes
