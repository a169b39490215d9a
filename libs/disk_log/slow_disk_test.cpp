// The log on a disk that takes its time.
#include <condition_variable>
#include <future>

#include <gmock/gmock.h>

#include "libs/disk_log/testing/disk_log_faults_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Files whose segments are read only while the gate is open.
class GatedFiles final : public FileSystem {
 public:
  explicit GatedFiles(FileSystem& inner) : inner_(inner) {}

  void close_gate() {
    const std::lock_guard lock(mutex_);
    is_open_ = false;
    waiting_ = 0;
  }
  void open_gate() {
    {
      const std::lock_guard lock(mutex_);
      is_open_ = true;
    }
    changed_.notify_all();
  }
  /// Until a reader stands at the closed gate.
  bool wait_for_reader() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return waiting_ > 0; });
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
  }

  Result<std::unique_ptr<File>> create(const std::string& path) override {
    return inner_.create(path);
  }
  Result<std::unique_ptr<File>> open_to_read(const std::string& path) override {
    if (path.find("segment-") != std::string::npos) pass();
    return inner_.open_to_read(path);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return inner_.rename(from, to);
  }
  Result<void> remove(const std::string& path) override { return inner_.remove(path); }
  Result<void> link(const std::string& path, const std::string& second) override {
    return inner_.link(path, second);
  }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    return inner_.list(directory);
  }
  Result<void> create_directory(const std::string& directory) override {
    return inner_.create_directory(directory);
  }
  Result<void> sync_directory(const std::string& directory) override {
    return inner_.sync_directory(directory);
  }
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) override {
    return inner_.lock(directory);
  }

 private:
  FileSystem& inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = true;
  int waiting_ = 0;
};

class SlowDiskTest : public DiskLogFaultsTest {
 protected:
  void SetUp() override {
    DiskLogFaultsTest::SetUp();
    disk_ = &gated_;
    settings_.cursors = {{.name = "cold", .required = true},
                         {.name = "hot", .required = false, .age_max = std::chrono::hours(1)}};
  }
  void TearDown() override {
    gated_.open_gate();
    DiskLogFaultsTest::TearDown();
  }
  /// True where it is done before the gate is opened.
  template <typename Action>
  bool is_done_meanwhile(Action action) {
    auto done = std::async(std::launch::async, action);
    const bool is_done = done.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
    gated_.open_gate();
    done.get();
    return is_done;
  }

  GatedFiles gated_{files_};
};

TEST_F(SlowDiskTest, WhoAsksForFiguresHoldsNobodyUp) {
  settings_.cursors = {{.name = "cold", .required = true}};
  open();
  ASSERT_TRUE(write("a"));
  gated_.close_gate();
  auto stats = std::async(std::launch::async, [this] { return log_->stats(); });
  ASSERT_TRUE(gated_.wait_for_reader());
  EXPECT_TRUE(is_done_meanwhile([this] { EXPECT_TRUE(write("b")); }));
  EXPECT_EQ(stats.get().cursors.at(0).oldest_ms, clock_.wall_ms());
}

TEST_F(SlowDiskTest, WhileACursorExpiresTheOthersMove) {
  open();
  const auto header = write("a");
  gated_.close_gate();
  clock_.advance(std::chrono::hours(2));
  ASSERT_TRUE(gated_.wait_for_reader());
  EXPECT_TRUE(is_done_meanwhile([&] { log_->cursor("cold").commit(header->next); }));
  eventually([this] { return drops().size() == 1; });
}

TEST_F(SlowDiskTest, WhatIsCommittedWhileItExpiresIsNotDroppedAsWell) {
  open();
  const auto header = write("a");
  gated_.close_gate();
  clock_.advance(std::chrono::hours(2));
  ASSERT_TRUE(gated_.wait_for_reader());
  EXPECT_EQ(log_->cursor("hot").commit(header->next), LogPosition{});
  gated_.open_gate();
  ASSERT_TRUE(write("b"));
  EXPECT_THAT(drops(), IsEmpty());
  EXPECT_THAT(read("hot"), ElementsAre("b"));
}

TEST_F(SlowDiskTest, ALongBacklogExpiresInPiecesBetweenWhichAppendsAreAnswered) {
  open();
  constexpr std::size_t kOld = 3 * LogState::kPieceRecordsMax + 1;
  for (std::size_t i = 1; i < kOld; ++i) {
    DiskRecord record{{.tag = {.owner = "c"}}, "body"};
    record.header.received_ms = clock_.wall_ms();
    log_->append(std::move(record), [](const Result<RecordHeader>& kept) { EXPECT_TRUE(kept); });
  }
  DiskRecord last{{.tag = {.owner = "c"}}, "body"};
  last.header.received_ms = clock_.wall_ms();
  ASSERT_TRUE(log_->append_and_wait(std::move(last)));  // an answer comes before the cursors' time
  gated_.close_gate();
  clock_.advance(std::chrono::hours(2));
  ASSERT_TRUE(gated_.wait_for_reader());
  std::promise<std::size_t> dropped_before;
  DiskRecord record{{.tag = {.owner = "c"}}, "young"};
  record.header.received_ms = clock_.wall_ms();
  log_->append(std::move(record), [&](const Result<RecordHeader>& kept) {
    EXPECT_TRUE(kept);
    dropped_before.set_value(drops().size());
  });
  gated_.open_gate();
  EXPECT_LE(dropped_before.get_future().get(), LogState::kPieceRecordsMax);
  eventually([this] { return drops().size() == kOld; });
  EXPECT_THAT(read("hot"), ElementsAre("young"));
}

}  // namespace
}  // namespace vigia::disk_log
