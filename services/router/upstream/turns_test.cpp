#include "services/router/upstream/turns.hpp"

#include <algorithm>
#include <atomic>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/base/testing/failing_allocations.hpp"

namespace vigia::router::upstream {
namespace {

/// Takes turns by name and remembers the order in which they were given.
class Store {
 public:
  /// As many places for slow requests as for any, unless the settings say otherwise.
  explicit Store(TurnSettings settings) : turns_(settings, clock) {}

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
  std::string started_since() { return std::exchange(started_, {}); }
  bool holds_any() const { return !held_.empty(); }
  void pass(Duration time) { clock.advance(time); }

  ManualClock clock{0};

 private:
  std::string started_;
  std::vector<std::shared_ptr<Turns::Turn>> held_;
  Turns turns_;
};

TEST(Turns, OneCustomerLeavesPlacesToTheOthers) {
  Store store({4, 2, 2});
  for (int i = 0; i < 10; ++i) store.ask("a");
  EXPECT_EQ(store.started(), "aa");
  store.ask("b");
  store.ask("");
  EXPECT_EQ(store.started(), "aab");
  store.answer_oldest();
  EXPECT_EQ(store.started(), "aaba");
}

TEST(Turns, WhoWaitsGoesOnCustomerByCustomer) {
  Store store({2, 2, 2});
  for (int i = 0; i < 6; ++i) store.ask("a");
  store.ask("b");
  store.ask("c");
  store.ask("b");
  for (int i = 0; i < 7; ++i) store.answer_oldest();
  EXPECT_EQ(store.started(), "aaabcabaa");
}

// B5: eight slow queries of one customer at once took all cores of a store from the others.
TEST(Turns, WhoseRequestsAreSlowHasFewPlaces) {
  using namespace std::chrono_literals;
  Store store({20, 8, 1});
  for (int i = 0; i < 10; ++i) store.ask("a");
  EXPECT_EQ(store.started_since(), "a");
  store.pass(1s);
  for (int i = 0; i < 5; ++i) {
    store.answer_oldest();
    EXPECT_EQ(store.started_since(), "a") << "one for one";
    store.pass(1s);
  }
  store.ask("b");
  EXPECT_EQ(store.started_since(), "b");
}

TEST(Turns, WhoseRequestsAreQuickGetsMorePlaces) {
  Store store({20, 4, 1});
  for (int i = 0; i < 30; ++i) store.ask("a");
  EXPECT_EQ(store.started_since(), "a");
  for (const char* next : {"aa", "aa", "aa", "a", "a"}) {
    store.answer_oldest();
    EXPECT_EQ(store.started_since(), next) << "one more for each, four at most";
  }
  store.pass(Turns::kQuickMax + std::chrono::milliseconds(1));
  for (int i = 0; i < 3; ++i) store.answer_oldest();
  EXPECT_EQ(store.started_since(), "") << "slow: back to one";
  store.answer_oldest();
  EXPECT_EQ(store.started_since(), "a");
}

TEST(Turns, WhoHasNothingThereBeginsAnew) {
  Store store({20, 4, 1});
  for (int i = 0; i < 6; ++i) store.ask("a");
  while (store.holds_any()) store.answer_oldest();
  EXPECT_EQ(store.started_since(), "aaaaaa");
  for (int i = 0; i < 4; ++i) store.ask("a");
  EXPECT_EQ(store.started_since(), "a") << "they may be slow ones";
}

TEST(Turns, ManyQuickOnesCountAsSlowOnceTheyKeepTheStoreBusy) {
  using namespace std::chrono_literals;
  Store store({20, 4, 1});
  for (int i = 0; i < 400; ++i) store.ask("a");
  for (int i = 0; i < 200; ++i) {
    store.pass(200ms);
    store.answer_oldest();
  }
  for (int i = 0; i < 3; ++i) store.answer_oldest();
  store.started_since();
  store.answer_oldest();
  EXPECT_EQ(store.started_since(), "a") << "one place";
  store.answer_oldest();
  EXPECT_EQ(store.started_since(), "a");
  while (store.holds_any()) store.answer_oldest();
  store.started_since();
  store.pass(10min);
  for (int i = 0; i < 4; ++i) store.ask("a");
  store.answer_oldest();
  EXPECT_EQ(store.started_since(), "aaa") << "what was long ago is forgotten";
}

TEST(Turns, WhoLeavesTheRowIsNotStarted) {
  ManualClock clock{0};
  Turns turns({1, 1, 1}, clock);
  std::string started;
  std::shared_ptr<Turns::Turn> held;
  const auto start = [&](const std::string& name) {
    return [&, name](std::shared_ptr<Turns::Turn> turn) {
      started += name;
      held = std::move(turn);
    };
  };
  const auto first = turns.take("a", start("1"));
  const auto second = turns.take("a", start("2"));
  turns.take("a", start("3"));
  const auto of_b = turns.take("b", start("4"));
  EXPECT_FALSE(turns.leave("a", first)) << "under way";
  EXPECT_TRUE(turns.leave("a", second));
  EXPECT_FALSE(turns.leave("a", second));
  EXPECT_TRUE(turns.leave("b", of_b));
  EXPECT_FALSE(turns.leave("c", 7));
  held.reset();
  EXPECT_EQ(started, "13");
  held.reset();
}

// Kind 3: what was thrown at a turn held the store for everybody, for ever.
TEST(Turns, AThrowCostsItsOwnTurnAlone) {
  const std::uint64_t before = fault_count();
  const SystemClock clock;
  Turns turns({1, 1, 1}, clock);
  turns.take("a", [](const auto&) { throw std::out_of_range("not foreseen"); });
  int started = 0;
  turns.take("a", [&](const auto&) { ++started; });
  turns.take("b", [&](const auto&) { ++started; });
  EXPECT_EQ(started, 2);
  EXPECT_EQ(fault_count(), before + 1);
}

TEST(Turns, WhatEndsAtOnceDoesNotNest) {
  const SystemClock clock;
  Turns turns({1, 1, 1}, clock);
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
  const SystemClock clock;
  {
    Turns turns({3, 2, 2}, clock);
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

// A place that was counted when memory failed was nobody's to give back, and after eight the
// customer, after twenty the store, was shut for ever.
TEST(Turns, WhereverMemoryFailsNoPlaceIsLost) {
  bool has_failed = true;
  for (int number = 0; has_failed; ++number) {
    const ManualClock clock(0);
    Turns turns({2, 2, 2}, clock);
    std::vector<std::shared_ptr<Turns::Turn>> held;
    held.reserve(8);
    const auto start = [&held](std::shared_ptr<Turns::Turn> turn) {
      held.push_back(std::move(turn));
    };
    // Long, so that each copy is memory.
    const std::string a(40, 'a');
    const std::string b(40, 'b');
    const std::vector<std::string> customers = {a, a, a, b};
    const auto all = [&] {
      for (const std::string& customer : customers) {
        try {
          turns.take(customer, start);
        } catch (const std::bad_alloc&) {
        }
      }
      while (!held.empty()) held.pop_back();
    };
    fail_allocation(number);
    all();
    has_failed = has_allocation_failed();
    fail_allocation(-1);
    EXPECT_TRUE(held.empty());
    // Both places are there, for each.
    for (const std::string& customer : {a, b}) {
      for (int i = 0; i < 3; ++i) turns.take(customer, start);
      EXPECT_EQ(held.size(), 2U) << number;
      held.pop_back();
      EXPECT_EQ(held.size(), 2U) << number;
      held.clear();
    }
  }
}

}  // namespace
}  // namespace vigia::router::upstream
