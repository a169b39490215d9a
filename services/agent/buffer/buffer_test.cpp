#include "services/agent/buffer/buffer.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "libs/disk_log/testing/memory_files.hpp"
#include "libs/model/customer_signal.hpp"

namespace vigia::agent::buffer {
namespace {

class BufferTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }
  void TearDown() override {
    buffer_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(std::uint64_t bytes_max = 8U << 20U) {
    buffer_.reset();
    auto opened = Buffer::open({folder_.string(), bytes_max, std::chrono::hours(24)},
                               *CustomerId::parse("cliente-a"), clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    buffer_ = *std::move(opened);
  }
  void write(Signal signal, const std::string& body, std::uint32_t items = 1) {
    const auto kept = buffer_->append_and_wait(signal, body, items);
    ASSERT_TRUE(kept) << kept.error().message;
  }
  /// The bodies of a signal's own records that wait, read and not committed.
  std::vector<std::string> waiting(Signal signal) {
    std::vector<std::string> bodies;
    disk_log::Cursor& cursor = buffer_->cursor(signal);
    cursor.rewind();
    for (;;) {
      auto record = cursor.next(Duration::zero());
      if (!record || !*record) return bodies;
      if ((*record)->header.tag.kind == kept_number(signal)) bodies.push_back((*record)->body);
    }
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      ("vigia-buffer-" + std::to_string(::getpid()) + "-" +
       testing::UnitTest::GetInstance()->current_test_info()->name());
  ManualClock clock_{1'795'574'400'000'000'000};
  std::unique_ptr<Buffer> buffer_;
};

TEST_F(BufferTest, SignalsAreReadApartAndSurviveARestart) {
  open();
  write(Signal::kMetrics, "m1");
  write(Signal::kLogs, "l1");
  write(Signal::kMetrics, "m2");
  open();
  EXPECT_THAT(waiting(Signal::kMetrics), testing::ElementsAre("m1", "m2"));
  EXPECT_THAT(waiting(Signal::kLogs), testing::ElementsAre("l1"));
  EXPECT_THAT(waiting(Signal::kTraces), testing::IsEmpty());
}

TEST_F(BufferTest, AgeFillsItToo) {
  open();
  EXPECT_EQ(buffer_->stats().usage_percent, 0);
  write(Signal::kMetrics, "m1");
  clock_.advance(std::chrono::hours(18));
  EXPECT_NEAR(buffer_->stats().usage_percent, 75, 0.01);
}

TEST_F(BufferTest, OldestGoFirstAndAreCountedOnce) {
  open(4U << 20U);
  // What LZ4 cannot shrink: 6 MiB into 4.
  std::string body(1U << 20U, '\0');
  std::uint32_t state = 1;
  for (char& byte : body) {
    state = state * 1'664'525U + 1'013'904'223U;
    byte = static_cast<char>(state >> 24U);
  }
  for (std::uint32_t number = 0; number < 6; ++number) {
    body[0] = static_cast<char>('0' + number);
    write(Signal::kMetrics, body, 10);
  }
  const auto left = waiting(Signal::kMetrics);
  ASSERT_FALSE(left.empty());
  EXPECT_EQ(left.back()[0], '5');
  EXPECT_EQ(buffer_->stats().dropped.at("cap"), 10 * (6 - left.size()));
  EXPECT_LE(buffer_->stats().bytes, 4U << 20U);
  EXPECT_LE(buffer_->stats().usage_percent, 100);
}

class BufferOnABadDiskTest : public BufferTest {
 protected:
  void SetUp() override {
    BufferTest::SetUp();
    files_.fail_when([this](std::string_view call, const std::string& path) {
      return is_failing_ && call == failing_ && path.find("segment-") != std::string::npos;
    });
    auto opened = Buffer::open({"/buffer", 8U << 20U, std::chrono::hours(24)},
                               *CustomerId::parse("cliente-a"), clock_, files_);
    ASSERT_TRUE(opened) << opened.error().message;
    buffer_ = *std::move(opened);
  }
  void eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(condition());
  }
  disk_log::MemoryFiles files_;
  std::atomic<bool> is_failing_{true};
  std::string failing_ = "write";
};

TEST_F(BufferOnABadDiskTest, OwnMetricsWaitInMemoryAndSaySo) {
  for (const char* call : {"write", "sync"}) {
    is_failing_ = false;
    failing_ = call;
    clock_.advance(std::chrono::seconds(2));
    is_failing_ = true;
    const std::string name = call;
    SCOPED_TRACE(name);
    buffer_->append_own(name + "1", 10);
    buffer_->append_own(name + "2", 10);
    eventually([this] { return buffer_->stats().held_items == 20; });
    EXPECT_FALSE(buffer_->append_and_wait(Signal::kLogs, "an application keeps it", 1));
    is_failing_ = false;
    clock_.advance(std::chrono::seconds(2));
    buffer_->append_own(name + "3", 10);
    eventually([this] { return buffer_->stats().held_items == 0; });
    eventually([this, &name] {
      const auto all = waiting(Signal::kMetrics);
      return !all.empty() && all.back() == name + "3";
    });
    EXPECT_EQ(buffer_->stats().lost_items, 0U);
  }
  EXPECT_THAT(waiting(Signal::kMetrics),
              testing::ElementsAre("write1", "write2", "write3", "sync1", "sync2", "sync3"));
  EXPECT_THAT(waiting(Signal::kLogs), testing::IsEmpty());
}

TEST_F(BufferOnABadDiskTest, WhatIsHeldIsBoundedAndTheOldestGoCounted) {
  const std::string body(Buffer::kHeldBytesMax / 4, 'x');
  for (int number = 0; number < 6; ++number) {
    buffer_->append_own(std::to_string(number) + body, 10);
    eventually([&] {
      return buffer_->stats().held_items + buffer_->stats().lost_items ==
             10U * static_cast<unsigned>(number + 1);
    });
  }
  EXPECT_EQ(buffer_->stats().lost_items, 30U);
  is_failing_ = false;
  clock_.advance(std::chrono::seconds(2));
  buffer_->append_own("6", 10);
  eventually([this] { return waiting(Signal::kMetrics).size() == 4; });
  EXPECT_EQ(waiting(Signal::kMetrics).front()[0], '3');
}

TEST_F(BufferOnABadDiskTest, ADiskThatHangsTakesNoMoreMemoryThanOneThatRefuses) {
  std::promise<void> goes_on;
  const std::shared_future<void> hang = goes_on.get_future().share();
  files_.fail_when([hang](std::string_view call, const std::string& path) {
    if (call == "sync" && path.find("segment-") != std::string::npos) hang.wait();
    return false;
  });
  const std::string body(Buffer::kHeldBytesMax / 4, 'x');
  for (int number = 0; number < 20; ++number)
    buffer_->append_own(std::to_string(number) + body, 10);
  EXPECT_GE(buffer_->stats().lost_items, 10U * (20 - 5));
  // Kept: what the disk has been given, and the newest.
  EXPECT_GE(buffer_->stats().lost_items, 10U * (20 - 5));
  goes_on.set_value();
  eventually([this] {
    buffer_->append_own("a later one", 1);
    return buffer_->stats().held_items == 0;
  });
}

// D21.
TEST_F(BufferTest, SecondCopyOnTheSameFolderIsRefused) {
  open();
  const auto second = Buffer::open({folder_.string(), 8U << 20U, std::chrono::hours(1)},
                                   *CustomerId::parse("cliente-a"), clock_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, testing::HasSubstr(folder_.string()));
}

}  // namespace
}  // namespace vigia::agent::buffer
