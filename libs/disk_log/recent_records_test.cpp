#include "libs/disk_log/recent_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/disk_log/testing/disk_log_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::ElementsAre;

RecordHeader header_at(std::uint64_t offset) {
  return {.tag = {.owner = "c"}, .position = {1, offset}, .next = {1, offset + 10}};
}

TEST(RecentRecords, ARecordIsHeldUntilEachReaderHasTakenItOnce) {
  RecentRecords recent(1U << 20U, 2);
  std::string body(1000, 'b');
  const auto held = recent.hold({}, body);
  recent.put(header_at(24), held);
  EXPECT_FALSE(recent.take({1, 34}));
  const auto first = recent.take({1, 24});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes(), std::string(1000, 'b'));
  EXPECT_EQ(first->header.next, (LogPosition{1, 34}));
  const auto second = recent.take({1, 24});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->recent, first->recent) << "one body for both";
  EXPECT_FALSE(recent.take({1, 24}));
}

TEST(RecentRecords, WhatAnybodyHasInHandCountsAndTheOldestGoesForTheNewest) {
  RecentRecords recent(4600, 1);
  std::string old_body(1000, 'o');
  recent.put(header_at(24), recent.hold({}, old_body));
  std::string body(2000, 'n');
  auto waiting = recent.hold({}, body);
  ASSERT_TRUE(waiting);
  std::string more(1500, 'm');
  recent.put(header_at(34), recent.hold({}, more));
  EXPECT_FALSE(recent.take({1, 24})) << "the oldest was let go";
  auto in_hand = recent.take({1, 34});
  ASSERT_TRUE(in_hand);
  EXPECT_LE(recent.held_bytes(), 4600U);
  std::string refused(1000, 'r');
  EXPECT_FALSE(recent.hold({}, refused)) << "nothing is left to let go";
  EXPECT_EQ(refused, std::string(1000, 'r'));
  in_hand.reset();
  waiting.reset();
  EXPECT_EQ(recent.held_bytes(), 0U);
  EXPECT_TRUE(recent.hold({}, refused));
  std::string large(5000, 'l');
  EXPECT_FALSE(recent.hold({}, large));
  EXPECT_FALSE(RecentRecords(0, 1).hold({}, large));
}

TEST(RecentRecords, ANoteCountsAsItsBodyDoes) {
  RecentRecords recent(4000, 1);
  std::string body = "b";
  EXPECT_FALSE(recent.hold({.note = std::string(4000, 'n')}, body));
}

class RecentDiskLogTest : public DiskLogTest {
 protected:
  void SetUp() override {
    DiskLogTest::SetUp();
    settings_.recent_bytes_max = 1U << 20U;
    settings_.cursors.push_back({.name = "hot"});
  }
  std::optional<DiskRecord> next(std::string_view cursor) {
    auto record = log_->cursor(cursor).next(kNoWait);
    EXPECT_TRUE(record);
    return record ? *std::move(record) : std::nullopt;
  }
};

TEST_F(RecentDiskLogTest, ACursorThatKeepsUpNeedsNoDisk) {
  open();
  ASSERT_TRUE(write(std::string(1000, 'a')));
  ASSERT_TRUE(write(std::string(1000, 'b')));
  files_.fail_when([](std::string_view call, const std::string&) { return call == "read"; });
  const auto first = next("cold");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes(), std::string(1000, 'a'));
  EXPECT_EQ(first->header.tag.note, "v");
  EXPECT_EQ(first->header.items, 7U);
  EXPECT_EQ(first->header.sequence, 1U);
  EXPECT_EQ(next("hot")->recent, first->recent);
  EXPECT_EQ(next("cold")->bytes(), std::string(1000, 'b'));
  EXPECT_FALSE(next("cold"));
}

TEST_F(RecentDiskLogTest, WhatIsReadAgainComesFromTheDiskAndGoesOnInMemory) {
  open();
  ASSERT_TRUE(write(std::string(1000, 'a')));
  ASSERT_TRUE(write(std::string(1000, 'b')));
  ASSERT_TRUE(next("cold") && next("hot"));
  log_->cursor("cold").rewind();
  const auto again = next("cold");
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->recent);
  EXPECT_EQ(again->bytes(), std::string(1000, 'a'));
  EXPECT_EQ(again->header.sequence, 1U);
  const auto second = next("cold");
  ASSERT_TRUE(second && second->recent);
  EXPECT_EQ(second->header.sequence, 2U);
}

// Where memory is short it goes back, and no reader misses anything.
TEST_F(RecentDiskLogTest, WhatWasLetGoComesFromTheDisk) {
  open();
  ASSERT_TRUE(write(std::string(1000, 'a')));
  log_->let_go_of_recent();
  ASSERT_TRUE(write(std::string(1000, 'b')));
  const auto first = next("cold");
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->recent);
  EXPECT_EQ(first->bytes(), std::string(1000, 'a'));
  const auto second = next("cold");
  ASSERT_TRUE(second && second->recent);
  EXPECT_EQ(second->bytes(), std::string(1000, 'b'));
}

TEST(RecentRecords, WhatIsLetGoIsNotHeld) {
  RecentRecords recent(1U << 20U, 2);
  std::string body(1000, 'a');
  recent.put({}, recent.hold({}, body));
  EXPECT_GE(recent.held_bytes(), 1000U);
  recent.let_go();
  EXPECT_EQ(recent.held_bytes(), 0U);
}

TEST_F(RecentDiskLogTest, WhatIsNotDurableIsNeverGiven) {
  open();
  ASSERT_TRUE(write(std::string(1000, 'a')));
  files_.fail_when([this](std::string_view call, const std::string& path) {
    return is_failing_ && call == "sync" && path.find("segment-") != std::string::npos;
  });
  is_failing_ = true;
  EXPECT_FALSE(write(std::string(1000, 'b')));
  is_failing_ = false;
  clock_.advance(settings_.full_retry_interval);
  ASSERT_TRUE(write(std::string(1000, 'c')));
  EXPECT_THAT(read(), ElementsAre(std::string(1000, 'a'), std::string(1000, 'c')));
}

}  // namespace
}  // namespace vigia::disk_log
