#include "services/router/upstream/readers.hpp"

#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace vigia::router::upstream {
namespace {

TEST(Readers, OneCustomersLargeAnswersLeaveAThreadToTheOthers) {
  Readers readers;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::promise<void> of_b;
  for (int i = 0; i < 20; ++i) readers.read("a", [released] { released.wait(); });
  readers.read("b", [&of_b] { of_b.set_value(); });
  EXPECT_EQ(of_b.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  release.set_value();
}

TEST(Readers, AllIsReadAndAThrowCostsItsOwnAnswer) {
  Readers readers;
  std::promise<void> all;
  std::atomic<int> count = 0;
  readers.read("a", [] { throw std::out_of_range("not foreseen"); });
  for (int i = 0; i < 100; ++i) {
    readers.read(i % 2 == 0 ? "a" : "b", [&] {
      if (++count == 100) all.set_value();
    });
  }
  EXPECT_EQ(all.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(Readers, AfterAStopNothingIsBegun) {
  Readers readers;
  readers.stop();
  bool has_run = false;
  readers.read("a", [&has_run] { has_run = true; });
  EXPECT_FALSE(has_run);
}

}  // namespace
}  // namespace vigia::router::upstream
