#include "services/monitor/access/fair_pool.hpp"

#include <atomic>
#include <future>
#include <mutex>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "services/monitor/access/change_rate.hpp"

namespace vigia::monitor::access {
namespace {

using std::chrono::seconds;

TEST(ChangeRate, ABurstThenOneInSoLongAndEachCustomerItsOwn) {
  ManualClock clock{1'795'575'845'000'000'000};
  ChangeRate rate(clock, {3, seconds(5)});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(rate.take("a").has_value());
  EXPECT_EQ(rate.take("a"), Duration(seconds(5)));
  EXPECT_FALSE(rate.take("b").has_value());
  clock.advance(seconds(2));
  EXPECT_EQ(rate.take("a"), Duration(seconds(3))) << "to be refused costs nothing";
  clock.advance(seconds(3));
  EXPECT_FALSE(rate.take("a").has_value());
  EXPECT_TRUE(rate.take("a").has_value());
}

TEST(FairPool, ACallerHasAsManyAsAreFreeAndAnotherAlwaysFindsRoom) {
  std::promise<void> open;
  std::promise<void> begun;
  const ManualClock clock{0};
  FairPool pool(FairPoolLimits{1, 100, 100, 100, 16, 2}, clock);
  ASSERT_TRUE(pool.submit("first", [&] {
    begun.set_value();
    open.get_future().wait();
  }));
  begun.get_future().wait();
  const auto fill = [&](const std::string& caller) {
    int taken = 0;
    while (pool.submit(caller, [] {})) ++taken;
    return taken;
  };
  EXPECT_EQ(fill("a"), 8);
  EXPECT_EQ(fill("b"), 4);
  EXPECT_EQ(fill("c"), 2);
  for (int i = 0; i < 50; ++i) fill("x" + std::to_string(i));
  EXPECT_EQ(fill("late"), 0) << "strangers have as many as they may";
  // Whoever owns ten addresses has two of them; another's stays known.
  pool.note_known("other", "b");
  for (int i = 0; i < 10; ++i) pool.note_known("many" + std::to_string(i), "a");
  EXPECT_EQ(fill("many9"), 8);
  EXPECT_EQ(fill("many8"), 4);
  EXPECT_EQ(fill("many0"), 0) << "it is a stranger again";
  EXPECT_GT(fill("other"), 0);
  open.set_value();
}

// Behind all other threads of a busy machine a log-in took 200 to 400 ms, for whoever it was.
TEST(FairPool, OneOfAnOwnersKnownCallersIsPromptOnceInAWhile) {
  ManualClock clock{0};
  std::promise<void> open;
  std::promise<void> begun;
  std::atomic<int> behind = 0;
  FairPoolLimits limits{1, 100, 100, 100};
  limits.niceness = 19;
  limits.prompt_every = seconds(1);
  FairPool pool(limits, clock);
  const auto niceness_of_prompt = [&pool](const std::string& caller) {
    std::promise<int> ran;
    EXPECT_TRUE(pool.submit(caller, [&] { ran.set_value(::getpriority(PRIO_PROCESS, 0)); }));
    return ran.get_future().get();
  };
  for (const char* caller : {"b1", "b2"}) pool.note_known(caller, "b");
  pool.note_known("c", "c");
  ASSERT_TRUE(pool.submit("stranger", [&] {
    begun.set_value();
    open.get_future().wait();
  }));
  begun.get_future().wait();  // it holds the only thread of those that stand behind
  EXPECT_EQ(niceness_of_prompt("b1"), ::getpriority(PRIO_PROCESS, 0));
  ASSERT_TRUE(pool.submit("b2", [&] { ++behind; }));
  pool.note_known("b1", "b");
  ASSERT_TRUE(pool.submit("b1", [&] { ++behind; }));
  ASSERT_TRUE(pool.submit("stranger", [&] { ++behind; }));
  niceness_of_prompt("c");
  EXPECT_EQ(behind, 0) << "another owner's goes before them";
  clock.advance(seconds(1));
  niceness_of_prompt("b2");
  EXPECT_EQ(behind, 0);
  open.set_value();
}

// Each log-in of another owner made the one before forgotten, and with it when it was prompt.
TEST(FairPool, ACallerOfTwoOwnersIsPromptNoMoreOftenThanOfOne) {
  ManualClock clock{0};
  std::promise<void> open;
  std::promise<void> begun;
  std::atomic<int> behind = 0;
  FairPoolLimits limits{1, 100, 100, 100};
  limits.prompt_every = seconds(1);
  FairPool pool(limits, clock);
  const auto run_prompt = [&pool](const std::string& caller) {
    std::promise<void> ran;
    EXPECT_TRUE(pool.submit(caller, [&] { ran.set_value(); }));
    ran.get_future().get();
  };
  ASSERT_TRUE(pool.submit("stranger", [&] {
    begun.set_value();
    open.get_future().wait();
  }));
  begun.get_future().wait();  // it holds the only thread of those that are not prompt
  pool.note_known("x", "a");
  run_prompt("x");
  for (const char* owner : {"b", "a", "b", "a"}) {
    pool.note_known("x", owner);
    ASSERT_TRUE(pool.submit("x", [&] { ++behind; }));
  }
  pool.note_known("x", "b");
  pool.note_known("y", "a");
  ASSERT_TRUE(pool.submit("y", [&] { ++behind; }));
  pool.note_known("z", "c");
  run_prompt("z");
  EXPECT_EQ(behind, 0) << "whoever is prompt runs one after the other: z's was the next";
  clock.advance(seconds(1));
  run_prompt("y");
  run_prompt("x");
  EXPECT_EQ(behind, 0);
  open.set_value();
}

TEST(FairPool, CallersTakeTurnsAndKnownOnesDoNotWaitForAFlood) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> order;
  bool is_open = false;
  bool has_begun = false;
  const ManualClock clock{0};
  FairPool pool(FairPoolLimits{1, 8, 2, 100}, clock);
  const auto job = [&](std::string name) {
    return [&, name = std::move(name)] {
      std::unique_lock lock(mutex);
      has_begun = true;
      changed.notify_all();
      changed.wait(lock, [&] { return is_open; });
      order.push_back(name);
      changed.notify_all();
    };
  };
  pool.note_known("b", "b");
  ASSERT_TRUE(pool.submit("first", job("first")));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return has_begun; });  // it holds the only thread
  }
  for (int i = 0; i < 50; ++i) pool.submit("a" + std::to_string(i), job("a"));
  EXPECT_FALSE(pool.submit("another", job("another"))) << "strangers have as many as they may";
  EXPECT_TRUE(pool.submit("b", job("b")));
  EXPECT_TRUE(pool.submit("b", job("b")));
  EXPECT_FALSE(pool.submit("b", job("b"))) << "a caller's share";
  std::unique_lock lock(mutex);
  is_open = true;
  changed.notify_all();
  changed.wait(lock, [&] { return std::count(order.begin(), order.end(), "b") >= 2; });
  // Not how many have run by now: the strangers' go on while this thread wakes.
  const auto last_b = std::find(order.rbegin(), order.rend(), "b");
  EXPECT_LE(order.rend() - last_b, 5) << "known callers and strangers take turns";
}

}  // namespace
}  // namespace vigia::monitor::access
