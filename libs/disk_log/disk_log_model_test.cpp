// The log beside a simple model, driven by chance: appends, reads, commits, restarts, power cuts,
// failing and full disks. What was acknowledged and not committed must come back, in order,
// whatever happened; nothing may come that was never appended.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <random>

#include <gtest/gtest.h>

#include "libs/base/random.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/disk_log/testing/memory_files.hpp"

namespace vigia::disk_log {
namespace {

constexpr int kSteps = 400;
constexpr int kRuns = 30;
constexpr std::uint64_t kCapacity = 200'000;

class LogRun {
 public:
  explicit LogRun(std::uint64_t seed) : random_(seed) {
    settings_.directory = "/log";
    settings_.segment_bytes = 4096;
    settings_.bytes_max = kCapacity / 2;
    settings_.cursor_interval = std::chrono::milliseconds(1);
    settings_.owner_share = 0.4;
    settings_.cursors = {{.name = "a"}, {.name = "b"}};
    if (below(2) == 0) settings_.recent_bytes_max = 5000;  // and some of it is not there any more
    files_.set_capacity(kCapacity);
    files_.fail_when([this](std::string_view call, const std::string& path) {
      const bool is_segment = path.find("segment-") != std::string::npos;
      return is_failing_ && is_segment &&
             (call == "write" || call == "sync" || (call == "truncate" && cuts_fail_));
    });
    open();
  }

  void step() {
    switch (below(12)) {
      case 0:
        restart();
        break;
      case 1:
        cut_power();
        break;
      case 2:
        is_failing_ = !is_failing_;
        cuts_fail_ = below(2) == 0;
        break;
      case 3:
      case 4:
      case 5:
        read_some(below(2));
        break;
      case 6:
      case 7:
        commit(below(2));
        break;
      default:
        append();
    }
  }

  /// Everything that is owed is there.
  void finish() {
    is_failing_ = false;
    restart();
    for (std::size_t cursor = 0; cursor < 2; ++cursor) read_some(cursor, 1'000'000);
    for (std::size_t cursor = 0; cursor < 2; ++cursor) {
      for (const std::string& body : owed_[cursor])
        ADD_FAILURE() << "acknowledged, never given to cursor " << cursor << ": "
                      << body.substr(0, 20);
    }
    // What all have passed is nobody's any more. A torn tail is passed with the record after it.
    for (std::size_t cursor = 0; cursor < 2; ++cursor) commit(cursor);
    clock_.advance(settings_.full_retry_interval);
    append();
    ASSERT_FALSE(owed_[0].empty()) << "there is room again";
    for (std::size_t cursor = 0; cursor < 2; ++cursor) read_some(cursor, 10);
    for (std::size_t cursor = 0; cursor < 2; ++cursor) commit(cursor);
    restart();
    EXPECT_TRUE(log_->held_by_owner().empty());
  }

 private:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

  void open() {
    auto log = DiskLog::open(settings_, clock_, {}, files_);
    ASSERT_TRUE(log) << log.error().message;
    log_ = *std::move(log);
    for (std::size_t cursor = 0; cursor < 2; ++cursor) {
      // What was given and not committed is owed again.
      owed_[cursor].insert(owed_[cursor].begin(), given_[cursor].begin(), given_[cursor].end());
      given_[cursor].clear();
      last_[cursor] = {};
      sequence_[cursor] = 0;
    }
  }

  void restart() {
    log_.reset();
    open();
    std::uint64_t held = 0;
    for (const OwnerBytes& customer : log_->held_by_owner()) held += customer.bytes;
    EXPECT_LE(held, log_->stats().bytes);
  }

  void cut_power() {
    ASSERT_TRUE(log_->sync_cursors() || is_failing_);
    std::unique_ptr<DiskLog> dead = std::move(log_);
    files_.cut_power(below(2) == 0 ? 0.0 : 0.5);
    dead.reset();  // what it still writes goes to files that nobody sees
    open();
  }

  void append() {
    const std::string name = std::to_string(next_++);
    const std::string customer = "c" + std::to_string(below(3));
    const bool is_plain = settings_.recent_bytes_max > 0 && below(4) > 0;
    DiskRecord record{{.tag = {.owner = customer},
                       .encoding = is_plain ? BodyEncoding::kPlain : BodyEncoding::kGzip},
                      name + std::string(below(800), '.')};
    const std::string body = record.body;
    appended_.push_back(body);
    clock_.advance(std::chrono::seconds(below(2)));
    const auto header = log_->append_and_wait(std::move(record));
    if (!header) {
      EXPECT_TRUE(is_retryable(header.error())) << header.error().message;
      return;
    }
    for (auto& owed : owed_) owed.push_back(body);
  }

  void read_some(std::size_t cursor, std::size_t count = 5) {
    for (std::size_t i = 0; i < count; ++i) {
      auto record = log_->cursor(settings_.cursors[cursor].name).next(Duration::zero());
      ASSERT_TRUE(record) << record.error().message;
      if (!record->has_value()) return;
      const std::string body((*record)->bytes());
      last_[cursor] = (*record)->header.next;
      EXPECT_GT((*record)->header.sequence, sequence_[cursor]) << "a number was given twice";
      sequence_[cursor] = (*record)->header.sequence;
      // A refused record whose bytes had reached the disk may come too: its sender sends it again.
      const auto found = std::find(owed_[cursor].begin(), owed_[cursor].end(), body);
      if (found == owed_[cursor].end()) {
        EXPECT_NE(std::find(appended_.begin(), appended_.end(), body), appended_.end());
        continue;
      }
      EXPECT_EQ(found, owed_[cursor].begin()) << "out of order: " << body.substr(0, 20);
      given_[cursor].push_back(body);
      owed_[cursor].erase(owed_[cursor].begin(), found + 1);
    }
  }

  void commit(std::size_t cursor) {
    log_->cursor(settings_.cursors[cursor].name).commit(last_[cursor]);
    given_[cursor].clear();
  }

  std::mt19937_64 random_;
  ManualClock clock_{1'700'000'000'000'000'000};
  MemoryFiles files_;
  std::atomic<bool> is_failing_{false};
  std::atomic<bool> cuts_fail_{false};
  DiskLogSettings settings_;
  std::unique_ptr<DiskLog> log_;
  std::vector<std::string> appended_;
  std::array<std::deque<std::string>, 2> owed_;   // acknowledged, not given since the last restart
  std::array<std::deque<std::string>, 2> given_;  // given, not committed
  std::array<LogPosition, 2> last_{};
  std::array<std::uint64_t, 2> sequence_{};
  int next_ = 0;
};

TEST(DiskLogModel, WhatWasAcknowledgedComesBackWhateverHappens) {
  const char* wanted = std::getenv("VIGIA_SEED");
  for (int i = 0; i < kRuns; ++i) {
    const std::uint64_t seed =
        wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : random_u64();
    SCOPED_TRACE("VIGIA_SEED=" + std::to_string(seed));
    LogRun run(seed);
    for (int step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) run.step();
    if (!testing::Test::HasFailure()) run.finish();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace vigia::disk_log
