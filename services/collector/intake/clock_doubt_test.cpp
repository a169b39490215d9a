#include "services/collector/intake/clock_doubt.hpp"

#include <gtest/gtest.h>

namespace vigia::collector {
namespace {

class ClockDoubtTest : public ::testing::Test {
 protected:
  void note(const std::string& customer, std::uint32_t points, std::uint32_t ahead) {
    doubt_.note_points(*CustomerId::parse(customer), points, ahead);
  }

  ManualClock clock_{1'800'000'000'000'000'000};
  ClockDoubt doubt_{clock_, 0};
};

TEST_F(ClockDoubtTest, OneCustomersClockIsItsOwn) {
  note("a", 10, 10);
  EXPECT_FALSE(doubt_.is_in_doubt());
  note("b", 10, 0);
  note("c", 10, 10);
  EXPECT_FALSE(doubt_.is_in_doubt());
}

// A4d: 1,356 right points were refused for good, by a collector six minutes late.
TEST_F(ClockDoubtTest, WhereSeveralAreAheadItIsOurs) {
  for (const char* customer : {"a", "b", "c"}) note(customer, 10, 9);
  EXPECT_TRUE(doubt_.is_in_doubt());
  note("d", 10, 8);  // one of four is right
  EXPECT_FALSE(doubt_.is_in_doubt());
}

TEST_F(ClockDoubtTest, WhatWasSeenLongAgoDoesNotCount) {
  note("a", 1, 1);
  note("b", 1, 1);
  EXPECT_TRUE(doubt_.is_in_doubt());
  clock_.advance(ClockDoubt::kSeenFor + std::chrono::seconds(1));
  EXPECT_FALSE(doubt_.is_in_doubt());
}

TEST_F(ClockDoubtTest, BehindTheNewestRecordItIsDoubtedForAnHour) {
  doubt_.note_record(clock_.wall_ms());
  clock_.set_wall_ns(clock_.wall_ns() - 6LL * 60 * 1'000'000'000);
  EXPECT_TRUE(doubt_.is_in_doubt());
  clock_.set_wall_ns(clock_.wall_ns() + 6LL * 60 * 1'000'000'000);
  EXPECT_FALSE(doubt_.is_in_doubt());
  clock_.set_wall_ns(clock_.wall_ns() - 100LL * 86'400 * 1'000'000'000);
  EXPECT_TRUE(doubt_.is_in_doubt());
  clock_.advance(ClockDoubt::kBelievedAfter);
  EXPECT_FALSE(doubt_.is_in_doubt());
  EXPECT_FALSE(doubt_.is_in_doubt());
}

TEST_F(ClockDoubtTest, ARecordOfAnEarlierRunCounts) {
  ClockDoubt after_start(clock_, clock_.wall_ms() + 6 * 60'000);
  EXPECT_TRUE(after_start.is_in_doubt());
}

}  // namespace
}  // namespace vigia::collector
