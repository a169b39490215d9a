#include "services/router/upstream/turns.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"

namespace vigia::router {
namespace {

/// Takes turns by name and remembers the order in which they were given.
class Store {
 public:
  explicit Store(TurnSettings settings) : turns_(settings) {}

  ~Store() {
    while (!held_.empty()) answer_oldest();  // each may let another in
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  void ask(const std::string& customer) {
    turns_.take(customer, [this, customer](std::shared_ptr<Turns::Turn> turn) {
      started_ += customer;
      held_.push_back(std::move(turn));
    });
  }
  void answer_oldest() {
    const auto turn = std::move(held_.front());
    held_.erase(held_.begin());
  }
  const std::string& started() const { return started_; }

 private:
  std::string started_;
  std::vector<std::shared_ptr<Turns::Turn>> held_;
  Turns turns_;
};

TEST(Turns, OneCustomerLeavesPlacesToTheOthers) {
  Store store({4, 2});
  for (int i = 0; i < 10; ++i) store.ask("a");
  EXPECT_EQ(store.started(), "aa");
  store.ask("b");
  store.ask("");
  EXPECT_EQ(store.started(), "aab");
  store.answer_oldest();
  EXPECT_EQ(store.started(), "aaba");
}

TEST(Turns, WhoWaitsGoesOnCustomerByCustomer) {
  Store store({2, 2});
  for (int i = 0; i < 6; ++i) store.ask("a");
  store.ask("b");
  store.ask("c");
  store.ask("b");
  for (int i = 0; i < 7; ++i) store.answer_oldest();
  EXPECT_EQ(store.started(), "aaabcabaa");
}

// Kind 3: what was thrown at a turn held the store for everybody, for ever.
TEST(Turns, AThrowCostsItsOwnTurnAlone) {
  const std::uint64_t before = fault_count();
  Turns turns({1, 1});
  turns.take("a", [](const auto&) { throw std::out_of_range("not foreseen"); });
  int started = 0;
  turns.take("a", [&](const auto&) { ++started; });
  turns.take("b", [&](const auto&) { ++started; });
  EXPECT_EQ(started, 2);
  EXPECT_EQ(fault_count(), before + 1);
}

TEST(Turns, WhatEndsAtOnceDoesNotNest) {
  Turns turns({1, 1});
  std::shared_ptr<Turns::Turn> first;
  turns.take("a", [&](std::shared_ptr<Turns::Turn> turn) { first = std::move(turn); });
  int depth = 0;
  int deepest = 0;
  int count = 0;
  for (int i = 0; i < 10'000; ++i) {
    turns.take("a", [&](std::shared_ptr<Turns::Turn> turn) {
      deepest = std::max(deepest, ++depth);
      turn.reset();
      ++count;
      --depth;
    });
  }
  first.reset();
  EXPECT_EQ(count, 10'000);
  EXPECT_EQ(deepest, 1);
}

TEST(Turns, NobodyIsForgottenAmongThreads) {
  std::atomic<int> count{0};
  {
    Turns turns({3, 2});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&turns, &count, t] {
        for (int i = 0; i < 2'000; ++i) {
          turns.take(std::to_string(t % 3),
                     [&count](const std::shared_ptr<Turns::Turn>&) { ++count; });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(count, 8'000);
}

}  // namespace
}  // namespace vigia::router
