#include "libs/service/worker_pool.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"

namespace vigia::service {
namespace {

/// A job that holds its thread until it is let go, and says when it has begun.
class Gate {
 public:
  std::function<void()> job() {
    return [this] {
      begun_.set_value();
      open_.get_future().wait();
    };
  }
  void wait_until_begun() { begun_.get_future().wait(); }
  void open() { open_.set_value(); }

 private:
  std::promise<void> begun_;
  std::promise<void> open_;
};

TEST(WorkerPool, RefusesMoreThanMayWait) {
  Gate gate;
  WorkerPool pool(1, 2);
  ASSERT_TRUE(pool.submit(gate.job()));
  gate.wait_until_begun();
  EXPECT_TRUE(pool.submit([] {}));
  EXPECT_TRUE(pool.submit([] {}));
  EXPECT_FALSE(pool.submit([] {}));
  EXPECT_EQ(pool.waiting(), 2U);
  gate.open();
}

// A place that is given back by a destructor, as a turn's is, begins the next job from there.
TEST(WorkerPool, WhatAJobHeldMaySubmitTheNextAsItGoes) {
  std::promise<void> next;
  WorkerPool pool(1, 4);
  std::shared_ptr<void> place(nullptr, [&](void*) { pool.submit([&next] { next.set_value(); }); });
  pool.submit([held = std::move(place)] { throw std::out_of_range("not foreseen"); });
  EXPECT_EQ(next.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(WorkerPool, AStopRunsWhatWaitsOrDropsIt) {
  for (const auto waiting : {WaitingJobs::kRun, WaitingJobs::kDrop}) {
    std::atomic<int> done = 0;
    Gate gate;
    WorkerPool pool(1, 1'000'000'000);
    ASSERT_TRUE(pool.submit(gate.job()));
    gate.wait_until_begun();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.submit([&done] { ++done; }));
    const auto opener = std::async(std::launch::async, [&] {
      while (pool.submit([] {})) std::this_thread::yield();  // until the stop has begun
      gate.open();
    });
    pool.stop(waiting, SystemClock().steady() + std::chrono::minutes(1));
    EXPECT_EQ(done, waiting == WaitingJobs::kRun ? 3 : 0);
    EXPECT_FALSE(pool.submit([] {}));
    pool.stop(waiting, {});
  }
}

TEST(WorkerPool, AfterTheDeadlineNothingIsBegunA14) {
  std::atomic<int> done = 0;
  Gate gate;
  WorkerPool pool(1, 10);
  ASSERT_TRUE(pool.submit(gate.job()));
  gate.wait_until_begun();
  const auto held = std::make_shared<int>(1);
  ASSERT_TRUE(pool.submit([&done, held] { ++done; }));
  const auto opener = std::async(std::launch::async, [&] {
    while (pool.submit([] {})) std::this_thread::yield();
    gate.open();
  });
  pool.stop(WaitingJobs::kRun, SystemClock().steady());
  EXPECT_EQ(done, 0);
  EXPECT_EQ(held.use_count(), 1) << "what it held is let go";
}

TEST(WorkerPool, AJobThatThrowsEndsAlone) {
  std::promise<void> done;
  WorkerPool pool(1, 10);
  const std::uint64_t before = fault_count();
  ASSERT_TRUE(pool.submit([] { throw std::out_of_range("not foreseen"); }));
  ASSERT_TRUE(pool.submit([&done] { done.set_value(); }));
  done.get_future().wait();
  EXPECT_EQ(fault_count(), before + 1);
}

}  // namespace
}  // namespace vigia::service
