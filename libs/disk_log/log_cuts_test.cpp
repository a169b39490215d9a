// Segments whose ends a file system has lost, cut exactly between two records: nothing in such a
// segment says so.
#include <random>

#include <gmock/gmock.h>

#include "libs/disk_log/log_state.hpp"
#include "libs/disk_log/record_format.hpp"
#include "libs/disk_log/testing/disk_log_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Bytes that LZ4 leaves as they are, so that three are more than a segment.
std::string noise(unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes;
  for (int i = 0; i < 1'500; ++i) bytes.push_back(static_cast<char>(random()));
  return bytes;
}

class LogCutsTest : public DiskLogTest {
 protected:
  void SetUp() override {
    DiskLogTest::SetUp();
    settings_.segment_bytes = 4096;
  }
  /// Three records to a segment.
  void fill(unsigned records) {
    open();
    for (unsigned i = 0; i < records; ++i) {
      const auto written = write(noise(i));
      ASSERT_TRUE(written);
      ends_.push_back(written->next);
    }
  }
  void cut(std::size_t segment, std::uint64_t at) {
    const std::string path = segments().at(segment);
    files_.set_content(path, files_.content(path).substr(0, at));
  }
  /// The numbers of the records that the cursor gives.
  std::vector<unsigned> read_numbers() {
    std::vector<unsigned> numbers;
    for (const std::string& body : read()) {
      for (unsigned i = 0; i < ends_.size(); ++i) {
        if (body == noise(i)) numbers.push_back(i);
      }
    }
    return numbers;
  }
  std::vector<LogPosition> ends_;
};

TEST_F(LogCutsTest, AClosedSegmentThatLostItsEndIsTold) {
  fill(6);
  log_.reset();
  ASSERT_EQ(segments().size(), 2U);
  cut(0, ends_[0].offset);
  open();
  ASSERT_EQ(skips_.size(), 1U);
  EXPECT_EQ(skips_[0].cursor, "cold");
  EXPECT_EQ(skips_[0].path, segments().at(0));
  EXPECT_EQ(skips_[0].begin, ends_[0].offset);
  EXPECT_EQ(skips_[0].end, ends_[2].offset);
  EXPECT_THAT(skips_[0].why, HasSubstr("of 2 records at most"));
  EXPECT_EQ(log_->stats().damaged_records, 1U);
  EXPECT_EQ(log_->cursor("cold").lost(), 1U);
  EXPECT_THAT(read_numbers(), ElementsAre(0, 3, 4, 5));
  EXPECT_EQ(log_->stats().damaged_records, 1U);
  commit();
  skips_.clear();
  reopen();  // whoever has passed it misses nothing more
  EXPECT_THAT(skips_, IsEmpty());
  EXPECT_EQ(log_->stats().damaged_records, 0U);
}

// The reader meets a record that is cut in two as damage of its own: it is one passage all the
// same.
TEST_F(LogCutsTest, ACutInARecordIsCountedOnce) {
  fill(6);
  log_.reset();
  cut(0, ends_[0].offset + 100);
  open();
  EXPECT_EQ(skips_.size(), 1U);
  EXPECT_THAT(read_numbers(), ElementsAre(0, 3, 4, 5));
  EXPECT_EQ(log_->stats().damaged_records, 1U);
  EXPECT_EQ(log_->cursor("cold").lost(), 1U);
}

TEST_F(LogCutsTest, TheNewestSegmentsEndIsKnownByTheFileOfCursors) {
  fill(2);
  log_.reset();
  cut(0, ends_[0].offset);
  open();
  ASSERT_EQ(skips_.size(), 1U);
  EXPECT_EQ(skips_[0].begin, ends_[0].offset);
  EXPECT_EQ(skips_[0].end, ends_[1].offset);
  EXPECT_EQ(log_->stats().damaged_records, 1U);
  EXPECT_THAT(read_numbers(), ElementsAre(0));
}

// What a kill leaves is what the last commit brought to the disk: no more is known than is true.
TEST_F(LogCutsTest, AfterAKillTheNewestSegmentMayBeLongerThanIsKnown) {
  fill(2);
  ASSERT_TRUE(log_->cursor("cold").next(kNoWait));
  log_->cursor("cold").commit({1, kSegmentHeaderBytes + 1});
  ASSERT_TRUE(log_->sync_cursors());
  const std::string cursors = files_.content("/log/cursors");
  ASSERT_TRUE(write("longer"));
  for (const std::size_t kept : {ends_[1].offset, ends_[0].offset}) {
    log_.reset();
    files_.set_content("/log/cursors", cursors);
    cut(0, kept);
    open();
    EXPECT_EQ(skips_.size(), kept == ends_[1].offset ? 0U : 1U);
  }
}

// A reader may need minutes for what it commits: storage's does.
TEST_F(LogCutsTest, TheEndIsNotedWhereNobodyCommits) {
  fill(1);
  ASSERT_TRUE(log_->sync_cursors());
  clock_.advance(LogState::kEndNotedEach);
  ends_.push_back(write(noise(1))->next);
  ASSERT_TRUE(log_->sync_cursors());
  const std::string cursors = files_.content("/log/cursors");
  log_.reset();
  files_.set_content("/log/cursors", cursors);  // as a kill leaves it
  cut(0, ends_[0].offset);
  open();
  ASSERT_EQ(skips_.size(), 1U);
  EXPECT_EQ(skips_[0].begin, ends_[0].offset);
  EXPECT_EQ(skips_[0].end, ends_[1].offset);
  EXPECT_EQ(log_->stats().damaged_records, 1U);
}

TEST_F(LogCutsTest, ASegmentThatIsGoneIsTold) {
  fill(9);
  log_.reset();
  ASSERT_EQ(segments().size(), 3U);
  const std::string gone = segments().at(1);
  ASSERT_TRUE(files_.remove(gone));
  open();
  ASSERT_EQ(skips_.size(), 1U);
  EXPECT_EQ(skips_[0].path, gone);
  EXPECT_THAT(read_numbers(), ElementsAre(0, 1, 2, 6, 7, 8));
  EXPECT_EQ(log_->cursor("cold").lost(), 1U);
}

TEST_F(LogCutsTest, WhoHadReadWhatIsGoneMissesNothing) {
  settings_.cursors.push_back({.name = "hot", .required = true, .age_max = {}, .bytes_max = 0});
  fill(6);
  log_->cursor("hot").commit(ends_[1]);
  log_->cursor("cold").commit(ends_[3]);
  log_.reset();
  cut(0, ends_[0].offset);
  open();
  ASSERT_EQ(skips_.size(), 1U);
  EXPECT_EQ(skips_[0].cursor, "hot");
  EXPECT_EQ(log_->cursor("cold").lost(), 0U);
  EXPECT_EQ(log_->cursor("hot").lost(), 1U);
  reopen();  // it goes on behind what is gone, and is told once
  EXPECT_EQ(skips_.size(), 1U);
  EXPECT_EQ(log_->cursor("hot").lost(), 1U);
}

TEST_F(LogCutsTest, WhatWasPassedAndRemovedIsNoLoss) {
  fill(7);
  commit();
  read();
  commit();
  eventually([&] { return segments().size() == 1; });
  settings_.cursors.push_back({.name = "new", .required = false, .age_max = {}, .bytes_max = 0});
  reopen();
  EXPECT_THAT(skips_, IsEmpty());
  EXPECT_EQ(log_->stats().damaged_records, 0U);
}

// The cursors are written in the room of the first segment that goes.
TEST_F(LogCutsTest, WhatWasPassedOnAFullDiskIsNoLossAfterAKill) {
  fill(10);
  ASSERT_EQ(segments().size(), 4U);
  ASSERT_TRUE(log_->sync_cursors());
  files_.set_capacity(files_.used_bytes());
  while (auto record = *log_->cursor("cold").next(kNoWait)) last_ = record->header;
  commit();
  eventually([&] { return segments().size() == 1; });
  files_.cut_power();  // as a kill does: nothing more comes to the disk
  const auto left = files_.names("/log");
  reopen();
  EXPECT_THAT(skips_, IsEmpty());
  EXPECT_EQ(log_->stats().damaged_records, 0U);
  EXPECT_EQ(log_->cursor("cold").lost(), 0U);
}

TEST_F(LogCutsTest, SegmentsStayWhileTheCursorsCannotBeWritten) {
  fill(10);
  ASSERT_TRUE(log_->sync_cursors());
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string& path) {
    if (!is_failing_ || path != "/log/cursors.new") return false;
    if (call == "create") ++writes_;
    return true;
  });
  while (auto record = *log_->cursor("cold").next(kNoWait)) last_ = record->header;
  commit();
  const int before = writes_;
  eventually([&] { return writes_ > before + 6; });  // several rounds
  EXPECT_EQ(segments().size(), 3U);
  is_failing_ = false;
  eventually([&] { return segments().size() == 1; });
}

// A record that was refused and could not be cut off: it was never synced, and the power takes it.
TEST_F(LogCutsTest, AnEndThatWasNeverSyncedIsNoneThatIsLost) {
  open();
  ASSERT_TRUE(write("first"));
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string& path) {
    return is_failing_ && (call == "sync" || call == "truncate") &&
           path.find("segment-") != std::string::npos;
  });
  EXPECT_FALSE(write("second"));
  log_.reset();
  is_failing_ = false;
  open();
  clock_.advance(settings_.full_retry_interval);
  ASSERT_TRUE(write("third"));
  ASSERT_EQ(segments().size(), 2U);
  files_.cut_power();
  reopen();
  EXPECT_THAT(skips_, IsEmpty());
  EXPECT_EQ(log_->stats().damaged_records, 0U);
}

TEST_F(LogCutsTest, SegmentsOfAProgramThatDidNotKnowAreReadAsBefore) {
  fill(6);
  log_.reset();
  for (const std::string& path : segments()) {
    std::string bytes = files_.content(path);
    const auto header = decode_segment_header(bytes);
    ASSERT_TRUE(header);
    bytes.replace(0, kSegmentHeaderBytes, encode_segment_header({header->number, header->marker}));
    files_.set_content(path, bytes);
  }
  ASSERT_TRUE(files_.remove("/log/cursors"));
  cut(0, ends_[0].offset);
  open();
  EXPECT_THAT(skips_, IsEmpty());
  EXPECT_THAT(read_numbers(), ElementsAre(0, 3, 4, 5));
}

}  // namespace
}  // namespace vigia::disk_log
