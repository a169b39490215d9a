#include "services/collector/clock/clock_doubt.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::clock {
namespace {

class ClockDoubtTest : public ::testing::Test {
 protected:
  /// Points that are not ahead are of now.
  void note(const std::string& customer, std::uint32_t points, std::uint32_t ahead,
            std::chrono::minutes age = std::chrono::minutes(0)) {
    const std::int64_t age_ms = std::chrono::milliseconds(age).count();
    doubt_.note_points(*CustomerId::parse(customer), {points, ahead, clock_.wall_ms() - age_ms});
  }
  void send_near_for(std::chrono::minutes time) {
    for (std::chrono::minutes passed{0}; passed <= time; ++passed) {
      note("a", 10, 0);
      clock_.advance(std::chrono::minutes(1));
    }
  }
  void step(std::chrono::minutes by) {
    clock_.set_wall_ns(clock_.wall_ns() + std::chrono::nanoseconds(by).count());
  }

  ManualClock clock_{1'800'000'000'000'000'000};
  ClockDoubt doubt_{clock_, 0};
};

TEST_F(ClockDoubtTest, OneCustomersClockIsItsOwnOnceOursIsProved) {
  send_near_for(std::chrono::minutes(3));
  note("a", 10, 10);
  EXPECT_FALSE(doubt_.is_in_doubt());
  note("b", 10, 0);
  note("c", 10, 10);
  EXPECT_FALSE(doubt_.is_in_doubt());
}

// A4d: the only customer of a fresh collector was refused for good, for ever.
TEST_F(ClockDoubtTest, OneWordAgainstOursIsNoProof) {
  for (int hour = 0; hour < 3; ++hour) {
    note("a", 10, 10);
    EXPECT_TRUE(doubt_.is_in_doubt());
    clock_.advance(std::chrono::hours(1));
  }
  note("a", 10, 10);
  note("b", 10, 0);
  EXPECT_FALSE(doubt_.is_in_doubt());  // two against one
}

// The sole customer of a fresh collector is held up by one fast node for as long as nothing else is
// known of either clock, and no longer.
TEST_F(ClockDoubtTest, TheOtherNodesOfTheOnlyCustomerProveOurs) {
  for (int minute = 0; minute < 3; ++minute) {
    note("a", 10, 10);
    EXPECT_TRUE(doubt_.is_in_doubt()) << minute;
    note("a", 10, 0);
    EXPECT_FALSE(doubt_.is_in_doubt()) << "what is near is taken all the while";
    clock_.advance(std::chrono::minutes(1));
  }
  note("a", 10, 0);
  note("a", 10, 10);
  EXPECT_FALSE(doubt_.is_in_doubt());
}

TEST_F(ClockDoubtTest, ABufferThatPassesByOurTimeProvesNothing) {
  for (int minute = 60; minute > -5; --minute) {
    note("a", 10, 0, std::chrono::minutes(minute));
    clock_.advance(std::chrono::seconds(1));
  }
  clock_.advance(ClockDoubt::kProvedAfter);
  note("a", 10, 10);
  EXPECT_TRUE(doubt_.is_in_doubt());
}

TEST_F(ClockDoubtTest, OldDataSpeaksForNobodyNorDoesWhatHasWaitedToBeLessAhead) {
  note("a", 10, 10);
  note("b", 10, 0, std::chrono::minutes(10));
  EXPECT_TRUE(doubt_.is_in_doubt());
  for (int minute = 0; minute < 10; ++minute) {
    note("b", 10, 0, std::chrono::minutes(-4));
    clock_.advance(std::chrono::minutes(1));
  }
  note("a", 10, 10);
  EXPECT_TRUE(doubt_.is_in_doubt());
}

TEST_F(ClockDoubtTest, AStepOfOurClockEndsItsProof) {
  send_near_for(std::chrono::minutes(3));
  step(std::chrono::minutes(-6));
  clock_.advance(ClockDoubt::kSeenFor * 2);
  note("a", 10, 10);
  EXPECT_TRUE(doubt_.is_in_doubt());
  step(std::chrono::minutes(6));  // back on time
  EXPECT_FALSE(doubt_.is_in_doubt());
}

TEST_F(ClockDoubtTest, AProofLastsThroughSilence) {
  send_near_for(std::chrono::minutes(3));
  clock_.advance(std::chrono::hours(48));
  note("a", 10, 10);
  EXPECT_FALSE(doubt_.is_in_doubt());
}

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

TEST_F(ClockDoubtTest, SendersProveTheClockAndItsStepEndsThat) {
  note("a", 10, 0);
  EXPECT_EQ(doubt_.word().proof, ClockDoubt::Proof::kNone);
  send_near_for(std::chrono::minutes(3));
  EXPECT_EQ(doubt_.word().proof, ClockDoubt::Proof::kRight);
  step(std::chrono::minutes(72 * 60));
  EXPECT_EQ(doubt_.word().proof, ClockDoubt::Proof::kNone);
}

TEST_F(ClockDoubtTest, WhereMostAreBehindByTheSameOursIsAhead) {
  note("a", 10, 0, std::chrono::minutes(180));
  EXPECT_EQ(doubt_.word().proof, ClockDoubt::Proof::kNone) << "one may send what it has kept";
  note("b", 10, 0, std::chrono::minutes(181));
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(doubt_.word().proof, ClockDoubt::Proof::kAhead);
  note("c", 10, 0, std::chrono::minutes(20));
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(doubt_.word().proof, ClockDoubt::Proof::kNone);
}

/// Somebody's generated data is not the time, where all others say another.
TEST_F(ClockDoubtTest, OneThatIsNearIsNoProofAgainstAllOthers) {
  for (int minute = 0; minute < 5; ++minute) {
    for (int i = 0; i < 9; ++i) note("c" + std::to_string(i), 10, 0, std::chrono::minutes(180));
    note("a", 10, 0);
    clock_.advance(std::chrono::minutes(1));
    EXPECT_NE(doubt_.word().proof, ClockDoubt::Proof::kRight);
  }
}

TEST_F(ClockDoubtTest, ARecordOfAnEarlierRunCounts) {
  ClockDoubt after_start(clock_, clock_.wall_ms() + 6 * 60'000);
  EXPECT_TRUE(after_start.is_in_doubt());
}

}  // namespace
}  // namespace vigia::collector::clock
