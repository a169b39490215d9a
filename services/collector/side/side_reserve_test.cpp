// Room that is kept for what goes aside, on a disk in memory that may be full.
#include "services/collector/side/side_reserve.hpp"

#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"
#include "services/collector/side/side_queue.hpp"

namespace vigia::collector::side {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

class SideReserveTest : public testing::Test {
 protected:
  void open() {
    reserve_ = std::make_unique<SideReserve>(
        SideReserveSettings{"/side", 8 * kMiB, [this] { return free_; }}, clock_, files_);
  }
  void keep() {
    clock_.advance(std::chrono::seconds(2));
    reserve_->keep();
  }
  std::uint64_t kept() {
    const auto file = files_.open_to_read("/side/reserve");
    return file ? *(*file)->size() : 0;
  }
  std::uint64_t free_ = 1U << 30U;
  ManualClock clock_{1'000'000'000};
  disk_log::MemoryFiles files_;
  std::unique_ptr<SideReserve> reserve_;
};

TEST_F(SideReserveTest, IsKeptOnlyWhereThereIsLittleRoomAndIsAPartOfIt) {
  open();
  keep();
  EXPECT_EQ(kept(), 0U);
  EXPECT_FALSE(reserve_->give(1));
  free_ = 16 * kMiB;
  keep();
  EXPECT_EQ(kept(), 2 * kMiB);
  free_ = 200 * kMiB;
  keep();
  EXPECT_EQ(kept(), 8 * kMiB);
}

TEST_F(SideReserveTest, IsCutByWhatIsNeededAndTakenBackLater) {
  open();
  free_ = 100 * kMiB;
  keep();
  EXPECT_TRUE(reserve_->give(3 * kMiB));
  EXPECT_EQ(kept(), 5 * kMiB);
  EXPECT_TRUE(reserve_->give(100 * kMiB));
  EXPECT_EQ(kept(), 0U);
  EXPECT_FALSE(reserve_->give(1));
  free_ = 0;
  keep();
  EXPECT_EQ(kept(), 0U);
  free_ = 100 * kMiB;
  keep();
  EXPECT_EQ(kept(), 8 * kMiB);
}

TEST_F(SideReserveTest, ARestartOnAFullDiskKeepsIt) {
  open();
  free_ = 100 * kMiB;
  keep();
  free_ = 0;
  open();
  keep();
  EXPECT_EQ(kept(), 8 * kMiB);
  EXPECT_TRUE(reserve_->give(1));
}

TEST_F(SideReserveTest, OnAFullDiskThePutThatEmptiesTheLogHasIt) {
  SideQueueSettings settings{.directory = "/side"};
  settings.reserve_bytes = 8 * kMiB;
  settings.free_bytes = [] { return 100 * kMiB; };
  auto queue =
      SideQueue::open(settings, clock_, [](const SideHead&) {}, [](const SideHead&) {}, files_);
  ASSERT_TRUE(queue);
  (*queue)->keep_room();
  ASSERT_EQ(kept(), 8 * kMiB);
  files_.set_capacity(files_.used_bytes());
  const CustomerId customer = *CustomerId::parse("a");
  std::vector<SidePut> puts;
  puts.push_back({{{.customer = customer, .items = 1}, {.customer = customer}, {}}});
  puts.back().entry.parcel.message = "x";
  puts.back().entry.parcel.units.push_back({});
  EXPECT_FALSE((*queue)->put_all(puts));
  EXPECT_TRUE((*queue)->put_all(puts, true));
  EXPECT_LT(kept(), 8 * kMiB);
  EXPECT_EQ((*queue)->stats().entries, 1U);
}

}  // namespace
}  // namespace vigia::collector::side
