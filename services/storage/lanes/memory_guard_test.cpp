#include "services/storage/lanes/memory_guard.hpp"

#include <future>

#include <gtest/gtest.h>

namespace vigia::storage {
namespace {

TEST(MemoryGuardTest, TellsThatMemoryIsShortAboveTheLimit) {
  EXPECT_GT(resident_bytes(), 1U << 20U);
  std::promise<bool> told;
  const MemoryGuard guard(1, [&](bool is_short) { told.set_value(is_short); });
  EXPECT_TRUE(told.get_future().get());
}

TEST(MemoryGuardTest, SaysNothingBelowTheLimit) {
  bool was_told = false;
  {
    const MemoryGuard guard(std::uint64_t{1} << 60U, [&](bool) { was_told = true; });
  }
  EXPECT_FALSE(was_told);
}

}  // namespace
}  // namespace vigia::storage
