#include "services/storage/heads/closed_lanes.hpp"

#include <new>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/failing_allocations.hpp"

namespace vigia::storage::heads {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

store::ChunkRow row(std::uint64_t series, TimestampMs first_ms, std::uint64_t version = 0) {
  return {
      {series}, first_ms, first_ms + 9, version, store::Encoding::kFloats, std::string(100, 'x')};
}

std::vector<TimestampMs> firsts_of(const ClosedLanes& lanes, std::uint64_t series) {
  std::vector<TimestampMs> firsts;
  for (const store::ChunkRow& row : lanes.rows_of({series})) firsts.push_back(row.first_ms);
  return firsts;
}

// A block at a time, nobody waits.
ClosedBlock* next_of(ClosedLanes& lanes) {
  const ClosedTurn turn = lanes.next_turn(TurnRule());
  return turn.blocks.empty() ? nullptr : turn.blocks.front();
}

// Whose turns they are, each block dropped after its own.
std::vector<std::uint32_t> all_turns(ClosedLanes& lanes) {
  std::vector<std::uint32_t> turns;
  while (ClosedBlock* block = next_of(lanes)) {
    turns.push_back(block->customer.value);
    lanes.drop(*block);
  }
  return turns;
}

void expect_empty(const ClosedLanes& lanes) {
  EXPECT_EQ(lanes.chunks(), 0U);
  EXPECT_EQ(lanes.bytes(), 0U);
  EXPECT_EQ(lanes.apart_bytes(), 0U);
  EXPECT_EQ(lanes.lanes(), 0U);
  EXPECT_EQ(lanes.oldest(), kNoEpoch);
}

TEST(ClosedLanes, CustomersTakeTurnsBlockByBlock) {
  ClosedLanes lanes;
  for (TimestampMs i = 0; i < 25; ++i) lanes.add({1}, {row(1, i)}, 100);  // 4, 8 and 13 of 16
  lanes.add({2}, {row(2, 0)}, 100);
  lanes.add({3}, {row(3, 0)}, 100);
  EXPECT_EQ(lanes.chunks(), 27U);
  EXPECT_EQ(lanes.bytes_of({1}) + lanes.bytes_of({2}) + lanes.bytes_of({3}), lanes.bytes());
  EXPECT_THAT(all_turns(lanes), ElementsAre(1, 2, 3, 1, 1));
  expect_empty(lanes);
}

TEST(ClosedLanes, WhatIsGatheredHasItsTurnWhenTheFirstIsOldOrTheyAreMany) {
  const TimePoint start{std::chrono::hours(5)};
  const auto minute = [&](int number) { return start + std::chrono::minutes(number); };
  ClosedLanes lanes;
  for (TimestampMs i = 0; i < 200; ++i) lanes.add({1}, {row(1, i)}, 100, minute(9));
  lanes.add({2}, {row(2, 0)}, 100, minute(1));
  lanes.add({2}, {row(2, 1)}, 100, minute(8));
  lanes.add({3}, {row(3, 0)}, 100, minute(5));
  const std::size_t many = lanes.bytes_of({1});
  TurnRule rule{minute(0), many + 1, many * 10};
  EXPECT_TRUE(lanes.next_turn(rule).blocks.empty());
  rule.added_until = minute(1);
  ClosedTurn turn = lanes.next_turn(rule);
  ASSERT_EQ(turn.blocks.size(), 1U);
  EXPECT_EQ(turn.blocks[0]->customer.value, 2U);
  EXPECT_EQ(turn.blocks[0]->chunks.size(), 2U) << "the later one goes along";
  EXPECT_EQ(turn.due, 1U);
  lanes.drop(*turn.blocks[0]);
  EXPECT_TRUE(lanes.next_turn(rule).blocks.empty());
  rule.bytes_due = many;
  turn = lanes.next_turn(rule);
  EXPECT_EQ(turn.blocks.size(), 7U) << "4, 8, 16, 32, 64, 64 and 12 of 64";
  turn.blocks[1]->is_alone = true;
  turn = lanes.next_turn(rule);
  ASSERT_EQ(turn.blocks.size(), 1U) << "the one before it";
  lanes.drop(*turn.blocks[0]);
  rule.bytes_due = SIZE_MAX;
  turn = lanes.next_turn(rule);
  ASSERT_EQ(turn.blocks.size(), 1U) << "it waits for nobody, and nobody goes along";
  EXPECT_TRUE(turn.blocks[0]->is_alone);
  lanes.drop(*turn.blocks[0]);
  EXPECT_EQ(lanes.next_turn(rule).blocks.size(), 5U) << "they were handed out, and not taken";
  EXPECT_EQ(all_turns(lanes).size(), 6U);
  expect_empty(lanes);
}

// Of a customer who closes much at once most goes in blocks that are worth a call of the store.
TEST(ClosedLanes, BlocksGrowWithWhatWaits) {
  for (const bool is_one_call : {false, true}) {
    ClosedLanes lanes;
    std::vector<store::ChunkRow> rows;
    for (TimestampMs i = 0; i < 1'000; ++i) rows.push_back(row(1, i));
    if (is_one_call) {
      lanes.add({1}, std::move(rows), 100);
    } else {
      for (store::ChunkRow& one : rows) lanes.add({1}, {std::move(one)}, 100);
    }
    std::vector<std::size_t> sizes;
    for (ClosedBlock* block = next_of(lanes); block != nullptr; block = next_of(lanes)) {
      sizes.push_back(block->chunks.size());
      lanes.drop(*block);
    }
    EXPECT_LE(sizes.front(), 4U);
    EXPECT_LE(sizes.size(), 1'000U / ClosedBlock::kChunksMax + 5);
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), 1'000U);
    expect_empty(lanes);
  }
}

// The bound counts what is reserved: thousands of customers with one chunk each took ten times of
// what was counted.
TEST(ClosedLanes, WhatIsReservedIsCounted) {
  ClosedLanes lanes;
  for (std::uint32_t customer = 1; customer <= 1'000; ++customer) {
    lanes.add({customer}, {row(customer, 0)}, 100);
    const std::size_t bytes = lanes.bytes_of({customer});
    EXPECT_GE(bytes, 4 * sizeof(store::ClosedChunk) + 100);
    EXPECT_LE(bytes, 1'024U);
  }
  const std::size_t before = lanes.bytes();
  for (TimestampMs i = 1; i <= 3; ++i) lanes.add({1}, {row(1, i)}, 100);  // into places it has
  EXPECT_LE(lanes.bytes() - before, 3U * 200);
  ClosedBlock* block = next_of(lanes);
  EXPECT_EQ(block->bytes, lanes.bytes_of(block->customer));
  while (block != nullptr) {
    lanes.drop(*block);
    block = next_of(lanes);
  }
  expect_empty(lanes);
}

TEST(ClosedLanes, NothingIsAddedToABlockThatIsBeingWritten) {
  ClosedLanes lanes;
  lanes.add({1}, {row(1, 0)}, 100);
  ClosedBlock* writing = next_of(lanes);
  lanes.add({1}, {row(1, 10)}, 100);
  EXPECT_EQ(writing->chunks.size(), 1U);
  lanes.drop(*writing);
  EXPECT_THAT(firsts_of(lanes, 1), ElementsAre(10));
}

TEST(ClosedLanes, TheOldestEpochIsThatOfWhatIsLeft) {
  ClosedLanes lanes;
  lanes.add({1}, {row(1, 0)}, 105);
  lanes.add({2}, {row(2, 0)}, 103);
  lanes.add({2}, {row(2, 10)}, 104);  // beside an older one, in its block
  EXPECT_EQ(lanes.oldest(), 103U);
  lanes.drop(*next_of(lanes));
  EXPECT_EQ(lanes.oldest(), 103U);
  lanes.drop(*next_of(lanes));
  expect_empty(lanes);
}

TEST(ClosedLanes, WithoutAnEpochItHoldsNoLogAndLetsNoneGo) {
  ClosedLanes lanes;
  lanes.add({1}, {row(1, 0)}, kNoEpoch);
  lanes.add({2}, {row(2, 0)}, 103);
  lanes.drop(*next_of(lanes));
  EXPECT_EQ(lanes.oldest(), 103U);
  lanes.drop(*next_of(lanes));
  expect_empty(lanes);
}

TEST(ClosedLanes, TheNewestIsThatOfRowsInOrder) {
  ClosedLanes lanes;
  lanes.add({1}, {row(1, 50), row(1, 20), row(1, 70, 7)}, 100);
  EXPECT_EQ(lanes.newest({1}), 59);
  lanes.add({1}, {row(2, 70, 7)}, 100);
  EXPECT_FALSE(lanes.newest({2}).has_value());
  EXPECT_FALSE(lanes.newest({3}).has_value());
}

TEST(ClosedLanes, WhatIsApartIsSeenAndHoldsItsEpochAndNoLane) {
  ClosedLanes lanes;
  lanes.add({1}, {row(1, 0), row(1, 10)}, 100);
  lanes.add({2}, {row(2, 0)}, 101);
  ClosedBlock* block = next_of(lanes);
  lanes.set_apart(*block);
  EXPECT_EQ(lanes.lanes(), 1U);
  EXPECT_THAT(all_turns(lanes), ElementsAre(2));
  EXPECT_EQ(lanes.apart_bytes(), lanes.bytes());
  EXPECT_EQ(lanes.oldest(), 100U);
  EXPECT_EQ(lanes.next_apart(), block);
  lanes.forget(*block, 0);
  EXPECT_THAT(firsts_of(lanes, 1), ElementsAre(10));
  EXPECT_EQ(lanes.apart_bytes(), lanes.bytes());
  EXPECT_EQ(lanes.oldest(), 100U);
  lanes.drop(*block);
  EXPECT_EQ(lanes.next_apart(), nullptr);
  expect_empty(lanes);
}

TEST(ClosedLanes, OfThoseApartTheOneThatIsDueFirstIsNext) {
  ClosedLanes lanes;
  lanes.add({1}, {row(1, 0)}, 100);
  lanes.add({2}, {row(2, 0)}, 100);
  ClosedBlock* first = next_of(lanes);
  lanes.set_apart(*first);
  ClosedBlock* second = next_of(lanes);
  lanes.set_apart(*second);
  first->next_try = TimePoint(Duration(9));
  second->next_try = TimePoint(Duration(8));
  EXPECT_EQ(lanes.next_apart(), second);
}

// Whatever allocation fails: nothing of it is there, what was there is as it was, and it works on.
TEST(ClosedLanes, WithoutMemoryNothingIsTaken) {
  int failed = 0;
  for (bool is_failing = true; is_failing; ++failed) {
    ClosedLanes lanes;
    for (TimestampMs i = 0; i < 3; ++i) lanes.add({1}, {row(1, i * 10)}, 100);
    const std::size_t bytes = lanes.bytes();
    std::vector<store::ChunkRow> rows{row(7, 0), row(7, 10)};  // one in the block, one in the next
    fail_allocation(failed);
    try {
      lanes.add({1}, std::move(rows), 99);
    } catch (const std::bad_alloc&) {
    }
    is_failing = has_allocation_failed();
    fail_allocation(-1);
    if (!is_failing) break;
    EXPECT_THAT(firsts_of(lanes, 7), IsEmpty());
    EXPECT_EQ(lanes.chunks(), 3U);
    EXPECT_EQ(lanes.bytes(), bytes);
    EXPECT_EQ(lanes.oldest(), 100U);
    lanes.add({2}, {row(2, 0)}, 98);
    EXPECT_EQ(lanes.oldest(), 98U);
    EXPECT_THAT(all_turns(lanes), ElementsAre(1, 2));
    expect_empty(lanes);
  }
  EXPECT_GE(failed, 4);
}

TEST(ClosedLanes, WithoutMemoryANewLaneLeavesNothing) {
  for (int failing = 0;; ++failing) {
    ClosedLanes lanes;
    std::vector<store::ChunkRow> rows{row(7, 0)};
    fail_allocation(failing);
    try {
      lanes.add({1}, std::move(rows), 99);
    } catch (const std::bad_alloc&) {
    }
    const bool has_failed = has_allocation_failed();
    fail_allocation(-1);
    if (!has_failed) break;
    EXPECT_EQ(next_of(lanes), nullptr);
    expect_empty(lanes);
  }
}

}  // namespace
}  // namespace vigia::storage::heads
