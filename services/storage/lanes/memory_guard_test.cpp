#include "services/storage/lanes/memory_guard.hpp"

#include <future>
#include <stdexcept>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"

namespace vigia::storage::lanes {
namespace {

TEST(MemoryGuardTest, TellsThatMemoryIsShortAboveTheLimit) {
  EXPECT_GT(resident_bytes(), 1U << 20U);
  std::promise<bool> told;
  const MemoryGuard guard(1, [&](bool is_short) { told.set_value(is_short); });
  EXPECT_TRUE(told.get_future().get());
}

TEST(MemoryGuardTest, AFaultOfWhoIsToldEndsNothingAndHeIsToldAgain) {
  const std::uint64_t faults = fault_count();
  int times = 0;
  std::promise<bool> told;
  const MemoryGuard guard(1, [&](bool is_short) {
    if (++times == 1) throw std::runtime_error("a fault of ours");
    if (times == 2) told.set_value(is_short);
  });
  EXPECT_TRUE(told.get_future().get());
  EXPECT_EQ(fault_count(), faults + 1);
}

TEST(MemoryGuardTest, SaysNothingBelowTheLimit) {
  bool was_told = false;
  {
    const MemoryGuard guard(std::uint64_t{1} << 60U, [&](bool) { was_told = true; });
  }
  EXPECT_FALSE(was_told);
}

}  // namespace
}  // namespace vigia::storage::lanes
