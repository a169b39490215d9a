#include "services/monitor/api/customer_turns.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "libs/base/clock.hpp"

namespace vigia::monitor::api {
namespace {

/// Returns when nothing waits or runs any more.
void run_all(service::WorkerPool& workers) {
  workers.stop(service::WaitingJobs::kRun, SystemClock().steady() + std::chrono::minutes(1));
}

/// A job that says when it has begun and ends when it is let go.
struct Held {
  std::promise<void> begun;
  std::promise<void> released;

  std::function<void()> job() {
    return [this, go = released.get_future().share()] {
      begun.set_value();
      go.wait();
    };
  }
};

// Whoever asked for many curves of two years had all threads; everybody else's waited behind.
TEST(CustomerTurns, OnesSlowQuestionsHoldUpNobodyElses) {
  service::WorkerPool workers(2, 100);
  CustomerTurns turns(workers, {1, 10, 2});
  Held first;
  Held second;
  ASSERT_TRUE(turns.submit("a", first.job()));
  first.begun.get_future().wait();
  ASSERT_TRUE(turns.submit("a", second.job()));
  std::promise<void> other;
  ASSERT_TRUE(turns.submit("b", [&] { other.set_value(); }));
  other.get_future().wait();  // for ever if a's second had taken the other thread
  first.released.set_value();
  second.begun.get_future().wait();
  second.released.set_value();
  run_all(workers);
}

TEST(CustomerTurns, WhoHasTooManyWaitingIsRefusedAlone) {
  service::WorkerPool workers(2, 100);
  CustomerTurns turns(workers, {1, 2, 2});
  Held held;
  ASSERT_TRUE(turns.submit("a", held.job()));
  held.begun.get_future().wait();
  EXPECT_TRUE(turns.submit("a", [] {}));
  EXPECT_TRUE(turns.submit("a", [] {}));
  EXPECT_FALSE(turns.submit("a", [] {}));
  EXPECT_TRUE(turns.submit("b", [] {}));
  held.released.set_value();
  run_all(workers);
}

// A turn's thread does many jobs; one submission of each to the pool left empty ones there, until
// two customers had filled it for everybody.
TEST(CustomerTurns, WhatIsDoneOrWaitsTakesNoRoomInThePool) {
  service::WorkerPool workers(2, 4);
  CustomerTurns turns(workers, {1, 32, 2, 64});
  Held a;
  Held b;
  ASSERT_TRUE(turns.submit("a", a.job()));
  a.begun.get_future().wait();
  ASSERT_TRUE(turns.submit("b", b.job()));
  b.begun.get_future().wait();
  std::atomic<int> ran = 0;
  for (int i = 0; i < 32; ++i) {
    ASSERT_TRUE(turns.submit("a", [&] { ++ran; })) << i;
    ASSERT_TRUE(turns.submit("b", [&] { ++ran; })) << i;
  }
  EXPECT_LE(workers.waiting(), 2U);
  EXPECT_FALSE(turns.submit("a", [] {}));
  // All that may wait does: whoever has nothing waiting is taken all the same, once.
  EXPECT_TRUE(turns.submit("c", [&] { ++ran; }));
  EXPECT_FALSE(turns.submit("c", [] {}));
  a.released.set_value();
  b.released.set_value();
  run_all(workers);
  EXPECT_EQ(ran, 65);
}

TEST(CustomerTurns, EveryJobRunsOnceAlsoAfterOneThatThrows) {
  service::WorkerPool workers(3, 1'000);
  CustomerTurns turns(workers, {2, 1'000, 3, 1'000});
  std::atomic<int> ran = 0;
  for (int i = 0; i < 300; ++i) {
    const auto customer = "c" + std::to_string(i % 7);
    ASSERT_TRUE(turns.submit(customer, [&ran, i] {
      ++ran;
      if (i == 5) throw std::runtime_error("a fault of ours");
    }));
  }
  run_all(workers);
  EXPECT_EQ(ran, 300);
}

TEST(CustomerTurns, APoolThatEndedTakesNothing) {
  service::WorkerPool workers(1, 10);
  CustomerTurns turns(workers, {1, 10});
  workers.stop(service::WaitingJobs::kDrop, {});
  EXPECT_FALSE(turns.submit("a", [] {}));
}

}  // namespace
}  // namespace vigia::monitor::api
