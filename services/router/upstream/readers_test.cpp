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
  for (int i = 0; i < 20; ++i) readers.read("a", 1, [released] { released.wait(); });
  readers.read("b", 1, [&of_b] { of_b.set_value(); });
  EXPECT_EQ(of_b.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  release.set_value();
}

TEST(Readers, AllIsReadAndAThrowCostsItsOwnAnswer) {
  Readers readers;
  std::promise<void> all;
  std::atomic<int> count = 0;
  readers.read("a", 1, [] { throw std::out_of_range("not foreseen"); });
  for (int i = 0; i < 100; ++i) {
    readers.read(i % 2 == 0 ? "a" : "b", 1, [&] {
      if (++count == 100) all.set_value();
    });
  }
  EXPECT_EQ(all.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

/// Runs to the end what was given of that customer before.
void wait_for(Readers& readers, const std::string& customer) {
  std::promise<void> done;
  readers.run_part(customer, [&done] { done.set_value(); });
  ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(Readers, MemoryGoesBackWhenThereIsSomeToGiveAndNothingIsLeftToRead) {
  Readers readers;
  constexpr std::size_t kQuarter = Readers::kReturnedBytesMin / 4;
  for (int i = 0; i < 3; ++i) readers.read("a", kQuarter, [] {});
  wait_for(readers, "a");
  EXPECT_EQ(readers.returns(), 0U);
  readers.read("a", kQuarter, [] {});
  wait_for(readers, "a");
  EXPECT_EQ(readers.returns(), 1U);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  readers.read("b", 1, [released] { released.wait(); });
  readers.read("a", Readers::kReturnedBytesMin, [] {});
  wait_for(readers, "a");
  EXPECT_EQ(readers.returns(), 1U);
  release.set_value();
  wait_for(readers, "b");
  EXPECT_EQ(readers.returns(), 2U);
}

TEST(Readers, AfterAStopNothingIsBegun) {
  Readers readers;
  readers.stop();
  bool has_run = false;
  readers.read("a", 1, [&has_run] { has_run = true; });
  EXPECT_FALSE(has_run);
}

}  // namespace
}  // namespace vigia::router::upstream
