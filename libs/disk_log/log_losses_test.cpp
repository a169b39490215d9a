// What a reader is told of what it has missed.
#include <gmock/gmock.h>

#include "libs/disk_log/testing/disk_log_faults_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::ElementsAre;

/// What a reader must know of what it has missed, whatever happened to the process meanwhile.
class LostTest : public DiskLogFaultsTest {
 protected:
  void SetUp() override {
    DiskLogFaultsTest::SetUp();
    settings_.cursors = {{.name = "hot", .required = false, .age_max = std::chrono::hours(1)}};
  }
  std::uint64_t lost(std::string_view cursor = "hot") { return log_->cursor(cursor).lost(); }
};

TEST_F(LostTest, NothingIsLostByReadingAndCommitting) {
  open();
  ASSERT_TRUE(write("a"));
  ASSERT_TRUE(write("b"));
  read("hot");
  commit("hot");
  reopen();
  ASSERT_TRUE(write("c"));
  EXPECT_EQ(lost(), 0U);
}

TEST_F(LostTest, WhatExpiresIsKnownAfterARestartToo) {
  open();
  ASSERT_TRUE(write("a"));
  ASSERT_TRUE(write("b"));
  clock_.advance(std::chrono::hours(2));
  eventually([this] { return lost() == 2; });
  reopen();
  EXPECT_EQ(lost(), 2U);
}

TEST_F(LostTest, WhatExpiresRightAfterOpenIsCountedBefore) {
  open();
  ASSERT_TRUE(write("a"));
  log_.reset();
  clock_.advance(std::chrono::hours(2));
  open();
  EXPECT_THAT(queued_, ElementsAre("hot cliente-a"));
  clock_.advance(ReceiptTimes::kJumpPatience);  // two hours away are believed after another one
  eventually([this] { return lost() == 1; });
}

TEST_F(LostTest, WhatMadeRoomIsKnownAfterAKill) {
  settings_.segment_bytes = 4096;
  settings_.bytes_max = 40'000;
  settings_.cursor_interval = std::chrono::hours(1);  // no turn writes the cursors in time
  settings_.cursors = {{.name = "hot", .required = false}};
  open();
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(write_large('x'));
  const std::uint64_t before = lost();
  EXPECT_GT(before, 0U);
  std::unique_ptr<DiskLog> dead = std::move(log_);
  files_.cut_power();
  dead.reset();
  open();
  EXPECT_EQ(lost(), before);
}

TEST_F(LostTest, DamageIsALossOnceHoweverOftenItIsRead) {
  settings_.cursors = {{.name = "hot", .required = false}};
  open();
  const auto head = write_large('a');
  const auto body = write_large('b');
  ASSERT_TRUE(write_large('c'));
  spoil_head(*head);
  spoil_body(*body);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int tries = 0; tries < kUnreadableTriesMin; ++tries) {
        (void)read_letters("hot");
        clock_.advance(settings_.unreadable_patience);
      }
    }
    log_->cursor("hot").rewind();
  }
  EXPECT_EQ(lost(), 2U);
}

TEST_F(LostTest, ACursorThatWasAwayHasLostWhatWentMeanwhile) {
  settings_.segment_bytes = 4096;
  const std::vector<CursorSettings> both = {{.name = "cold", .required = true},
                                            {.name = "hot", .required = false}};
  settings_.cursors = both;
  open();
  ASSERT_TRUE(write_large('a'));
  settings_.cursors = {both[0]};
  reopen();
  EXPECT_THAT(forgotten_, ElementsAre("hot"));  // its owner is told of what it leaves behind
  reopen();
  EXPECT_THAT(forgotten_, ElementsAre("hot"));
  ASSERT_TRUE(write_large('b'));
  EXPECT_EQ(read_letters(), "ab");
  commit();
  eventually([this] { return log_->stats().segments == 0; });
  ASSERT_TRUE(write_large('c'));
  settings_.cursors = both;
  reopen();
  EXPECT_EQ(lost("hot"), 2U);
  EXPECT_EQ(lost("cold"), 0U);
  EXPECT_EQ(read_letters("hot"), "c");
}

}  // namespace
}  // namespace vigia::disk_log
