// For tests: a log on a file system in memory, spoken to in the words of the tests.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "libs/disk_log/disk_log.hpp"
#include "libs/disk_log/testing/memory_files.hpp"

namespace vigia::disk_log {

inline constexpr std::int64_t kStartNs = 1'700'000'000'000'000'000;
inline constexpr Duration kNoWait{0};

struct Dropped {
  std::string cursor;
  std::string customer;
  std::string reason;
  std::uint32_t items = 0;
  bool operator==(const Dropped&) const = default;
};

class DiskLogTest : public testing::Test {
 protected:
  void SetUp() override {
    settings_.directory = "/log";
    settings_.cursors = {{.name = "cold", .required = true, .age_max = {}, .bytes_max = 0}};
    settings_.cursor_interval = std::chrono::milliseconds(2);
    settings_.owner_share = 0;  // most tests are of one owner's log
    settings_.owner_word = "customer";
  }
  void TearDown() override { log_.reset(); }

  void open() {
    DiskLogEvents events;
    events.on_drop = [this](const RecordHeader& header, std::string_view cursor,
                            DropReason reason) {
      const std::lock_guard lock(mutex_);
      drops_.push_back(
          {std::string(cursor), header.tag.owner, std::string(to_string(reason)), header.items});
    };
    queued_.clear();
    events.on_queued = [this](const RecordHeader& header, std::string_view cursor) {
      queued_.push_back(std::string(cursor) + ' ' + header.tag.owner);
    };
    events.on_forgotten = [this](std::string_view cursor, std::uint64_t /*bytes*/) {
      forgotten_.emplace_back(cursor);
    };
    events.on_clock_jump = [this](const ClockJump& jump) {
      const std::lock_guard lock(mutex_);
      jumps_.push_back(jump);
    };
    events.on_cursors_lost = [this](const std::string& path, const std::string& why) {
      cursors_lost_.push_back(path + ": " + why);
    };
    events.on_skip = [this](const SkippedPassage& skipped) { skips_.push_back(skipped); };
    auto log = DiskLog::open(settings_, clock_, std::move(events), *disk_);
    ASSERT_TRUE(log) << log.error().message;
    log_ = *std::move(log);
  }
  void reopen() {
    log_.reset();
    open();
  }
  Result<RecordHeader> write(std::string body, std::string_view owner = "cliente-a") {
    DiskRecord record{{.tag = {.owner = std::string(owner), .route = "hot-0", .note = "v"}},
                      std::move(body)};
    record.header.items = 7;
    record.header.received_ms = clock_.wall_ms();
    return log_->append_and_wait(std::move(record));
  }
  /// The bodies that the cursor gives now.
  std::vector<std::string> read(std::string_view cursor = "cold") {
    std::vector<std::string> bodies;
    for (;;) {
      auto record = log_->cursor(cursor).next(kNoWait);
      EXPECT_TRUE(record) << record.error().message;
      if (!record || !record->has_value()) return bodies;
      last_ = (*record)->header;
      bodies.emplace_back((*record)->bytes());
    }
  }
  void commit(std::string_view cursor = "cold") { log_->cursor(cursor).commit(last_->next); }
  /// Waits until the log's own thread has made it true.
  template <typename Condition>
  void eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(condition());
  }
  std::vector<std::string> segments() {
    std::vector<std::string> found;
    for (const std::string& name : files_.names("/log")) {
      if (name.starts_with("segment-")) found.push_back("/log/" + name);
    }
    return found;
  }
  std::vector<Dropped> drops() {
    const std::lock_guard lock(mutex_);
    return drops_;
  }
  std::vector<ClockJump> jumps() {
    const std::lock_guard lock(mutex_);
    return jumps_;
  }

  ManualClock clock_{kStartNs};
  MemoryFiles files_;
  // For fail_when: the log writes once more as it ends, after a test's own variables.
  std::atomic<bool> is_failing_{false};
  std::atomic<int> writes_{0};
  FileSystem* disk_ = &files_;  // what the log is opened on
  DiskLogSettings settings_;
  std::mutex mutex_;
  std::vector<Dropped> drops_;
  std::vector<ClockJump> jumps_;
  std::vector<std::string> queued_;  // "cursor owner", told at open
  std::vector<std::string> forgotten_;
  std::vector<SkippedPassage> skips_;
  std::vector<std::string> cursors_lost_;  // of the test's own thread
  std::optional<RecordHeader> last_;
  std::unique_ptr<DiskLog> log_;
};

}  // namespace vigia::disk_log
