#include "services/collector/delivery/evidence.hpp"

#include <latch>
#include <thread>

#include <gtest/gtest.h>

namespace vigia::collector::delivery {
namespace {

// Both lanes and the probes' answers note at once: an older time was written over a newer one.
TEST(EvidenceTest, WhatOneHasNotedNoOtherTakesBack) {
  Evidence evidence;
  std::atomic<Duration::rep> next{0};
  std::atomic<int> taken_back{0};
  constexpr int kThreads = 4;
  std::latch begun(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      begun.arrive_and_wait();
      for (int round = 0; round < 2'000'000; ++round) {
        const TimePoint time{Duration{++next}};
        evidence.note_taken(time, true);
        if (!evidence.taken_since(time) || !evidence.data_taken_since(time)) ++taken_back;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken_back, 0);
  EXPECT_EQ(evidence.last(), TimePoint{Duration{next.load()}});
}

TEST(EvidenceTest, AnAnswerToNothingIsNoneToData) {
  Evidence evidence;
  const TimePoint time{std::chrono::seconds(5)};
  evidence.note_taken(time, false);
  EXPECT_TRUE(evidence.taken_since(time));
  EXPECT_FALSE(evidence.data_taken_since(time));
}

}  // namespace
}  // namespace vigia::collector::delivery
