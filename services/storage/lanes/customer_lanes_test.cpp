#include "services/storage/lanes/customer_lanes.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <new>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "libs/base/fault.hpp"
#include "libs/base/testing/failing_allocations.hpp"

namespace vigia::storage::lanes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Holds a thread until it is let go.
class Gate {
 public:
  std::function<void()> job() {
    return [this] {
      entered_.set_value();
      opened_.wait();
    };
  }
  void wait_until_entered() { entered_.get_future().wait(); }
  void open() { open_.set_value(); }

 private:
  std::promise<void> entered_;
  std::promise<void> open_;
  std::shared_future<void> opened_ = open_.get_future().share();
};

// Of the whole process only these threads give way.
TEST(CustomerLanesTest, ThreadsOfReadsGiveWayToTheOthers) {
  std::promise<int> nice;
  CustomerLanes lanes({"reads", 2, 1, 8, 1U << 20U, 5});
  const int own = getpriority(PRIO_PROCESS, 0);
  ASSERT_TRUE(lanes.submit("a", 0, [&] { nice.set_value(getpriority(PRIO_PROCESS, 0)); }));
  EXPECT_EQ(nice.get_future().get(), std::max(own, 5));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own);
}

TEST(CustomerLanesTest, OneCustomersLongJobsDoNotHoldTheOthers) {
  Gate gate;
  CustomerLanes lanes({"writes", 2, 1, 256, 1U << 20U});
  ASSERT_TRUE(lanes.submit("a", 0, gate.job()));
  gate.wait_until_entered();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(lanes.submit("a", 0, [] {}));
  for (int i = 0; i < 20; ++i) {  // each of them while a's jobs wait
    std::promise<void> done;
    ASSERT_TRUE(lanes.submit("b", 0, [&] { done.set_value(); }));
    done.get_future().wait();
  }
  EXPECT_EQ(lanes.waiting(), 50U);
  gate.open();
}

TEST(CustomerLanesTest, TurnsGoByTheTimeThatWasUsed) {
  std::mutex mutex;
  std::string order;
  const auto mark = [&](char who) {
    return [&, who] {
      const std::lock_guard lock(mutex);
      order += who;
    };
  };
  {
    Gate first;
    Gate second;
    CustomerLanes lanes({"writes", 2, 1, 256, 1U << 20U});
    ASSERT_TRUE(lanes.submit("x", 0, first.job()));  // both threads are held while the lanes fill
    ASSERT_TRUE(lanes.submit("y", 0, second.job()));
    first.wait_until_entered();
    second.wait_until_entered();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(lanes.submit("a", 0, mark('a')));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(lanes.submit("b", 0, mark('b')));
    first.open();  // one thread runs all six
    while (lanes.waiting() > 0) std::this_thread::yield();
    second.open();
  }
  EXPECT_EQ(order.substr(0, 2), "ab");  // though all of a's came first
  EXPECT_EQ(std::count(order.begin(), order.end(), 'a'), 3);
  EXPECT_EQ(std::count(order.begin(), order.end(), 'b'), 3);
}

TEST(CustomerLanesTest, AFullLaneRefusesItsOwnCustomerAlone) {
  Gate gate;
  CustomerLanes lanes({"reads", 2, 1, 16, 1'000});
  ASSERT_TRUE(lanes.submit("a", 0, gate.job()));
  gate.wait_until_entered();
  std::size_t taken = 0;
  while (taken < 100 && lanes.submit("a", 0, [] {})) ++taken;
  EXPECT_EQ(taken, 8U);
  const auto refused = lanes.submit("a", 0, [] {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(is_retryable(refused.error()));
  EXPECT_THAT(refused.error().message, HasSubstr("reads take more than one customer's share"));
  std::promise<void> done;
  EXPECT_TRUE(lanes.submit("b", 0, [&] { done.set_value(); }));
  done.get_future().wait();
  gate.open();
}

TEST(CustomerLanesTest, WhatIsBegunGoesOnInTurnsWithWhatWaitsAndIsNeverRefused) {
  std::string order;  // of one lane, whose jobs run one at a time
  Gate gate;
  CustomerLanes lanes({"reads", 2, 1, 16, 1'000});
  ASSERT_TRUE(lanes.submit("a", 0, gate.job()));
  gate.wait_until_entered();
  while (lanes.submit("a", 0, [&] { order += 'w'; })) continue;
  const std::size_t waiting = lanes.waiting();
  for (const char part : {'1', '2', '3'}) {
    EXPECT_TRUE(lanes.go_on("a", [&order, part] { order += part; }));
  }
  EXPECT_EQ(lanes.waiting(), waiting);  // others' requests are not refused for it
  gate.open();
  lanes.stop(TimePoint::max());
  EXPECT_EQ(order, "1w2w3wwwwww");
  EXPECT_FALSE(lanes.go_on("a", [&] { order += 'g'; }));
  EXPECT_EQ(order, "1w2w3wwwwww");
}

TEST(CustomerLanesTest, BytesHaveSharesToo) {
  Gate gate;
  CustomerLanes lanes({"reads", 2, 1, 256, 1'000});
  ASSERT_TRUE(lanes.submit("a", 600, gate.job()));
  gate.wait_until_entered();
  EXPECT_FALSE(lanes.submit("a", 1, [] {}));
  std::promise<void> done;
  EXPECT_TRUE(lanes.submit("b", 250, [&] { done.set_value(); }));
  done.get_future().wait();
  gate.open();
}

TEST(CustomerLanesTest, AJobThatThrowsEndsAloneAndGivesItsShareBack) {
  CustomerLanes lanes({"reads", 2, 1, 256, 1'000});
  const std::uint64_t faults = fault_count();
  for (int i = 0; i < 5; ++i) {  // more than there are threads
    int tries = 0;               // the share of the one before may not be back yet
    while (!lanes.submit("a", 400, [] { throw std::runtime_error("a fault of ours"); })) {
      ASSERT_LT(++tries, 10'000'000);
      std::this_thread::yield();
    }
    std::promise<void> done;
    ASSERT_TRUE(lanes.submit("b", 0, [&] { done.set_value(); }));
    done.get_future().wait();
  }
  lanes.stop(TimePoint::max());
  EXPECT_EQ(fault_count(), faults + 5);
}

TEST(CustomerLanesTest, StopRunsWhatWaits) {
  std::atomic<int> ran = 0;
  CustomerLanes lanes({"writes", 2, 1, 256, 1U << 20U});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(lanes.submit("a", 0, [&] { ++ran; }));
  lanes.stop(TimePoint::max());
  EXPECT_EQ(ran, 20);
  EXPECT_FALSE(lanes.submit("a", 0, [] {}));
}

// Case A14: a stop that runs all that waits would outlast its deadline.
TEST(CustomerLanesTest, AtTheDeadlineWhatStillWaitsIsDropped) {
  Gate gate;
  std::atomic<int> ran = 0;
  CustomerLanes lanes({"writes", 2, 1, 256, 1U << 20U});
  ASSERT_TRUE(lanes.submit("a", 0, gate.job()));
  gate.wait_until_entered();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(lanes.submit("a", 0, [&] { ++ran; }));
  std::thread opener([&] {
    while (lanes.waiting() > 0) std::this_thread::yield();
    gate.open();
  });
  lanes.stop(TimePoint(Duration(0)));
  opener.join();
  EXPECT_EQ(ran, 0);
}

// Bytes that were taken when memory failed were nobody's to give back.
TEST(CustomerLanesTest, WhereverMemoryFailsNoShareIsKept) {
  CustomerLanes lanes({"jobs", 2, 1, 8, 1'000});
  const std::string customer(40, 'a');  // whose copies are memory
  bool has_failed = true;
  for (int number = 0; has_failed; ++number) {
    fail_allocation(number);
    try {
      EXPECT_TRUE(lanes.submit(customer, 900, [] {}));
    } catch (const std::bad_alloc&) {
    }
    has_failed = has_allocation_failed();
    fail_allocation(-1);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (lanes.held() > 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << number;
      std::this_thread::yield();
    }
  }
}

}  // namespace
}  // namespace vigia::storage::lanes
