#include "libs/net/internal/body_costs.hpp"

#include <ctime>

#include <gtest/gtest.h>

namespace vigia::net::internal {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kKiB = 1024;

TEST(BodyCosts, AnUnknownOwnerHasAQuarterMebibyteOnTheLoop) {
  const BodyCosts costs;
  EXPECT_TRUE(costs.fits_loop("a", false, 256 * kKiB));
  EXPECT_FALSE(costs.fits_loop("a", false, 300 * kKiB));
  EXPECT_TRUE(costs.fits_loop("a", true, 256 * kKiB));
  EXPECT_FALSE(costs.fits_loop("a", true, 300 * kKiB));
}

TEST(BodyCosts, CheapBodiesComeToTheLoopUpToABound) {
  BodyCosts costs;
  for (int i = 0; i < 100; ++i) costs.note("a", false, 300 * kKiB, 120us);
  EXPECT_TRUE(costs.fits_loop("a", false, kOnLoopBytesMax));
  EXPECT_FALSE(costs.fits_loop("a", false, kOnLoopBytesMax + 1));
  EXPECT_FALSE(costs.fits_loop("a", true, 300 * kKiB)) << "packed ones have a cost of their own";
  EXPECT_FALSE(costs.fits_loop("b", false, 300 * kKiB)) << "and so has another owner";
}

TEST(BodyCosts, OneDearBodyOutweighsManyCheapOnes) {
  BodyCosts costs;
  for (int i = 0; i < 1000; ++i) costs.note("a", false, 300 * kKiB, 120us);
  costs.note("a", false, 100 * kKiB, 4ms);
  EXPECT_FALSE(costs.fits_loop("a", false, 64 * kKiB));
  for (int i = 0; i < 20; ++i) costs.note("a", false, 300 * kKiB, 120us);
  EXPECT_FALSE(costs.fits_loop("a", false, 300 * kKiB)) << "twenty do not buy one";
  EXPECT_TRUE(costs.fits_loop("a", false, BodyCosts::kSmallBytes));
}

TEST(BodyCosts, SmallBodiesTeachNothing) {
  BodyCosts costs;
  for (int i = 0; i < 1000; ++i) costs.note("a", false, BodyCosts::kSmallBytes, 1ns);
  EXPECT_FALSE(costs.fits_loop("a", false, 300 * kKiB));
}

TEST(BodyCosts, OwnersBeyondTheBoundAreForgotten) {
  BodyCosts costs;
  for (int i = 0; i < 100; ++i) costs.note("a", false, 300 * kKiB, 120us);
  for (std::size_t i = 0; i < BodyCosts::kOwnersMax; ++i)
    costs.note("other " + std::to_string(i), false, 300 * kKiB, 120us);
  EXPECT_FALSE(costs.fits_loop("a", false, 300 * kKiB)) << "as one of whom nothing is known";
}

TEST(BodyCosts, AMeterNotesWhatItsThreadHasWorked) {
  BodyCosts costs;
  CostMeter meter(costs, "a", false, 20 * kKiB, WorkPlace::kWorker);
  volatile std::uint64_t sum = 0;
  for (int i = 0; i < 20'000'000; ++i) sum = sum + 1;
  EXPECT_TRUE(costs.fits_loop("a", false, 20 * kKiB + 1)) << "nothing is noted yet";
  meter.note();
  EXPECT_FALSE(costs.fits_loop("a", false, 20 * kKiB + 1)) << "that took over 2 ms";
}

void work_for(std::chrono::milliseconds time) {
  timespec begin{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  const auto worked = [&] {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec - begin.tv_sec) +
           std::chrono::nanoseconds(now.tv_nsec - begin.tv_nsec);
  };
  while (worked() < time) {
  }
}

// A scope of 5,000 attributes in 13 KB of gzip stood a loop for 16 s, as often as it was sent.
TEST(BodyCosts, SmallBodiesThatTookALoopLongGoToTheWorkers) {
  BodyCosts costs;
  const auto take = [&](WorkPlace place) {
    CostMeter meter(costs, "a", true, 13 * kKiB, place);
    work_for(10ms);
    meter.note();
  };
  take(WorkPlace::kWorker);
  EXPECT_TRUE(costs.fits_loop("a", true, 13 * kKiB)) << "no loop stood";
  take(WorkPlace::kLoop);
  EXPECT_TRUE(costs.fits_loop("a", true, 13 * kKiB)) << "it may have waited for a processor";
  take(WorkPlace::kLoop);
  EXPECT_FALSE(costs.fits_loop("a", true, 13 * kKiB));
  EXPECT_FALSE(costs.fits_loop("a", false, 1));
  EXPECT_TRUE(costs.fits_loop("b", true, 13 * kKiB));
}

TEST(BodyCosts, TimeThatPassedDoesOnceBodiesWereCheapByProcessorTime) {
  BodyCosts costs;
  EXPECT_FALSE(costs.is_surely_cheap("a", false));
  int measured = 0;
  for (; !costs.is_surely_cheap("a", false); ++measured) {
    ASSERT_LT(measured, 1000);
    costs.note("a", false, 300 * kKiB, 120us);
  }
  EXPECT_GE(measured, static_cast<int>(BodyCosts::kInDoubt));
  for (int i = 0; i < 1000; ++i) costs.note_passed("a", false, 300 * kKiB, 150us);
  EXPECT_TRUE(costs.is_surely_cheap("a", false));
  EXPECT_TRUE(costs.fits_loop("a", false, kOnLoopBytesMax));
  EXPECT_FALSE(costs.is_surely_cheap("a", true)) << "packed ones have a cost of their own";
  EXPECT_FALSE(costs.is_surely_cheap("b", false)) << "and so has another owner";
}

TEST(BodyCosts, WhatOthersWorkedMeanwhileIsNoCostAndADearBodyIsMeasured) {
  BodyCosts costs;
  for (int i = 0; i < 1000; ++i) costs.note("a", false, 300 * kKiB, 120us);
  ASSERT_TRUE(costs.is_surely_cheap("a", false));
  costs.note_passed("a", false, 100 * kKiB, 4ms);
  EXPECT_TRUE(costs.fits_loop("a", false, 300 * kKiB)) << "it may have waited for a processor";
  for (unsigned i = 0; i < BodyCosts::kInDoubt; ++i) {
    ASSERT_FALSE(costs.is_surely_cheap("a", false)) << "one cheap body is no proof " << i;
    costs.note("a", false, 300 * kKiB, 120us);
  }
  EXPECT_TRUE(costs.is_surely_cheap("a", false));
  costs.note_passed("a", false, 100 * kKiB, 4ms);
  costs.note("a", false, 100 * kKiB, 4ms);
  EXPECT_FALSE(costs.fits_loop("a", false, 64 * kKiB));
  EXPECT_FALSE(costs.is_surely_cheap("a", false));
}

}  // namespace
}  // namespace vigia::net::internal
