#include "services/collector/clock/confirmed_time.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::clock {
namespace {

constexpr std::int64_t kStartMs = 1'800'000'000'000;
constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kHourMs = 3'600'000;

class ConfirmedTimeTest : public testing::Test {
 protected:
  void step(std::int64_t by_ms) { clock_.set_wall_ns(clock_.wall_ns() + by_ms * kMillion); }
  void confirm() {
    const auto steady =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady().time_since_epoch());
    time_.confirm(clock_.wall_ms() - steady.count());
  }
  /// After the start; nothing where no time is known.
  std::optional<std::int64_t> now() {
    const auto found = time_.now();
    return found ? std::optional(found->ms - kStartMs) : std::nullopt;
  }

  ManualClock clock_{kStartMs * kMillion};
  ConfirmedTime time_{clock_};
};

TEST_F(ConfirmedTimeTest, NothingIsKnownAtTheStartForAnHour) {
  EXPECT_EQ(now(), std::nullopt);
  EXPECT_EQ(time_.now_or_wall_ms(), kStartMs);
  clock_.advance(std::chrono::minutes(59));
  EXPECT_EQ(now(), std::nullopt);
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(now(), kHourMs);
}

TEST_F(ConfirmedTimeTest, AStepWaitsForAnHourOfItsOwn) {
  confirm();
  step(72 * kHourMs);
  EXPECT_EQ(now(), 0);
  EXPECT_FALSE(time_.is_confirmed());
  clock_.advance(std::chrono::minutes(50));
  EXPECT_EQ(now(), kHourMs * 5 / 6);
  step(-2 * kHourMs);
  EXPECT_EQ(now(), kHourMs * 5 / 6);
  clock_.advance(std::chrono::minutes(59));
  EXPECT_EQ(now(), kHourMs * 5 / 6 + 59 * 60'000) << "another step, another hour";
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(now(), 70 * kHourMs + kHourMs * 11 / 6);
  EXPECT_TRUE(time_.is_confirmed());
}

TEST_F(ConfirmedTimeTest, WhatSendersSpeakAgainstIsNotBelieved) {
  confirm();
  step(3 * kHourMs);
  for (int minutes = 0; minutes < 300; ++minutes) {
    time_.contradict();
    clock_.advance(std::chrono::minutes(1));
  }
  EXPECT_EQ(now(), 5 * kHourMs);
}

TEST_F(ConfirmedTimeTest, SendersEndTheWaitAndEachChangeIsCounted) {
  confirm();
  const auto before = time_.now()->changes;
  step(-3 * kHourMs);
  EXPECT_EQ(now(), 0);
  confirm();
  EXPECT_EQ(now(), -3 * kHourMs);
  EXPECT_EQ(time_.now()->changes, before + 1);
}

TEST_F(ConfirmedTimeTest, AProofOfAnotherTimeThanTheClocksIsPassedOver) {
  confirm();
  step(3 * kHourMs);
  time_.confirm(kStartMs);
  EXPECT_EQ(now(), 0);
}

TEST_F(ConfirmedTimeTest, SmallStepsDoNotAddUp) {
  confirm();
  for (int i = 0; i < 10; ++i) {
    step(ConfirmedTime::kSlackMs / 2);
    clock_.advance(std::chrono::seconds(1));
    EXPECT_LE(*now(), ConfirmedTime::kSlackMs + 10'000);
  }
}

TEST_F(ConfirmedTimeTest, ARestartOfSomeMinutesGoesOn) {
  time_.resume(kStartMs + 2 * kHourMs);
  EXPECT_EQ(now(), std::nullopt) << "behind what has certainly passed";
  time_.resume(kStartMs - 72 * kHourMs);
  EXPECT_EQ(now(), std::nullopt);
  time_.compare(kStartMs);
  EXPECT_EQ(now(), std::nullopt) << "a store on the same machine says the same";
  time_.resume(kStartMs - ConfirmedTime::kResumedMaxMs);
  EXPECT_EQ(now(), 0);
}

TEST_F(ConfirmedTimeTest, OfAFreshStartTheStoresClockIsEnough) {
  time_.compare(kStartMs - kHourMs);
  EXPECT_EQ(now(), std::nullopt);
  time_.compare(kStartMs - 900);
  EXPECT_EQ(now(), 0);
}

}  // namespace
}  // namespace vigia::collector::clock
