#include "services/router/spool/spool_file.hpp"

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "services/router/spool/spool.hpp"

namespace vigia::router::spool {
namespace {

namespace fs = std::filesystem;

/// The process may write no file of more bytes than that: as a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit less{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &less);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

class SpoolFileTest : public testing::Test {
 protected:
  SpoolFileTest() { fs::create_directories(folder); }
  ~SpoolFileTest() override { fs::remove_all(folder); }

  std::shared_ptr<SpoolFile> open() {
    auto opened = spool.open([](const Task<void()>& work) { work(); });
    EXPECT_TRUE(opened.has_value());
    return opened ? *opened : nullptr;
  }
  std::string read(const SpoolFile& file, std::uint64_t at, std::size_t count) {
    Result<std::string> got;
    file.read_later(at, count, [&got](Result<std::string> piece) { got = std::move(piece); });
    return got ? *got : got.error().message;
  }

  const std::string folder = testing::TempDir() + "/vigia-spool-test-" + std::to_string(getpid());
  ManualClock clock{0};
  service::MetricRegistry metrics;
  const Spool spool{{.folder = folder}, metrics, clock};
};

TEST_F(SpoolFileTest, WhatIsWrittenIsReadFromAnyPlaceByAnybody) {
  const auto file = open();
  ASSERT_TRUE(file->append("abc").has_value());
  ASSERT_TRUE(file->append(std::string(100'000, 'x') + "yz").has_value());
  file->seal(spool.hold("a"));
  EXPECT_EQ(file->size(), 100'005U);
  EXPECT_EQ(read(*file, 0, 4), "abcx");
  EXPECT_EQ(read(*file, 100'002, 10), "xyz");
  EXPECT_EQ(read(*file, 1, 2), "bc");
  // Just written, so in the page cache; a file system that cannot tell says nothing.
  const auto at_once = file->read_at_once(100'003, 2);
  ASSERT_TRUE(at_once.has_value());
  EXPECT_EQ(at_once->value_or("yz"), "yz");
}

TEST_F(SpoolFileTest, NoNameIsLeftAndNobodyElseMayRead) {
  const auto file = open();
  ASSERT_TRUE(file->append("secret").has_value());
  EXPECT_TRUE(fs::is_empty(folder));
  const auto descriptor = SpoolFile::open_unnamed(folder);
  ASSERT_TRUE(descriptor.has_value());
  struct stat state{};
  ASSERT_EQ(fstat(*descriptor, &state), 0);
  EXPECT_EQ(state.st_mode & 0777U, 0600U);
  EXPECT_EQ(state.st_nlink, 0U);
  close(*descriptor);
}

TEST_F(SpoolFileTest, AFullDiskIsAnErrorThatNamesIt) {
  const auto file = open();
  const FullDisk full(1'000);
  const auto written = file->append(std::string(2'000, 'x'));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(written.error().message.empty());
}

TEST_F(SpoolFileTest, WhatTheDiskChangesIsNotRead) {
  const auto opened = SpoolFile::open_unnamed(folder);
  ASSERT_TRUE(opened.has_value());
  const SpoolCounters counters{metrics.counter("unread", "", {}),
                               metrics.counter("damaged", "", {})};
  const auto now = [](const Task<void()>& work) { work(); };
  const auto file = std::make_shared<SpoolFile>(*opened, now, counters, clock);
  constexpr std::uint64_t kBlock = SpoolFile::kBlockBytes;
  // In pieces that end within blocks, and at their ends.
  ASSERT_TRUE(file->append(std::string(kBlock - 1, 'a')).has_value());
  ASSERT_TRUE(file->append(std::string(kBlock + 1, 'b')).has_value());
  ASSERT_TRUE(file->append(std::string(10, 'c')).has_value());
  file->seal(spool.hold("a"));
  EXPECT_EQ(read(*file, 2 * kBlock - 1, 1), "b");
  // To the end of the block that is read to, but for the last.
  EXPECT_EQ(read(*file, 1, 2 * kBlock).size(), 2 * kBlock - 1);
  EXPECT_EQ(read(*file, 2 * kBlock, 100), std::string(10, 'c'));
  ASSERT_EQ(pwrite(*opened, "B", 1, kBlock + 5), 1);  // 'b' with one bit changed
  EXPECT_EQ(read(*file, 0, kBlock), std::string(kBlock - 1, 'a') + "b");
  // Nothing at once where the file system cannot say what is in memory, as tmpfs.
  const auto at_once = file->read_at_once(2 * kBlock - 1, 1);
  if (at_once.has_value()) {
    EXPECT_EQ(*at_once, std::nullopt);
  } else {
    EXPECT_EQ(at_once.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_NE(read(*file, kBlock, kBlock).find("damaged"), std::string::npos);
  EXPECT_EQ(read(*file, 2 * kBlock, 10), std::string(10, 'c'));
}

// On an event loop 256 MiB would be 50 to 80 ms of everybody's.
TEST_F(SpoolFileTest, ItIsGivenUpOnAThreadThatMayWait) {
  std::vector<Task<void()>> later;
  auto opened = spool.open([&later](Task<void()> work) { later.push_back(std::move(work)); });
  ASSERT_TRUE(opened.has_value());
  auto held = spool.hold("a");
  ASSERT_TRUE((*opened)->append("abc").has_value());
  ASSERT_TRUE(held.grow(3));
  (*opened)->seal(std::move(held));
  opened->reset();
  ASSERT_EQ(later.size(), 1U);
  EXPECT_EQ(spool.bytes(), 3U) << "it is still there";
  later.clear();  // also where that thread has ended before
  EXPECT_EQ(spool.bytes(), 0U);
}

TEST_F(SpoolFileTest, ItsShareGoesWithIt) {
  auto file = open();
  auto held = spool.hold("a");
  ASSERT_TRUE(held.grow(7));
  file->seal(std::move(held));
  EXPECT_EQ(spool.bytes(), 7U);
  auto other_reader = file;
  file.reset();
  EXPECT_EQ(spool.bytes(), 7U);
  other_reader.reset();
  EXPECT_EQ(spool.bytes(), 0U);
}

TEST_F(SpoolFileTest, WhoReadsTooSlowlyReadsNoMore) {
  const auto file = open();
  constexpr int kSeconds = 10;
  ASSERT_TRUE(file->append(std::string(kSeconds * SpoolFile::kBytesPerSecondMin, 'x')).has_value());
  clock.advance(std::chrono::hours(1));  // its store's time is not its reader's
  file->seal(spool.hold("a"));
  clock.advance(SpoolFile::kReadGrace + std::chrono::seconds(kSeconds));
  EXPECT_TRUE(file->read_at_once(0, 1).has_value());
  clock.advance(std::chrono::seconds(1));
  const auto late = file->read_at_once(0, 1);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::kDeadline);
}

// Beside it lies what the router needs to start again: the directory's cache.
TEST_F(SpoolFileTest, ADiskIsNeverFilled) {
  const SpoolSettings settings{.free_bytes_min = 100};
  EXPECT_EQ(settings.room_of(10'000, 150), 50U);
  EXPECT_EQ(settings.room_of(10'000, 99), 0U);
  EXPECT_EQ(settings.room_of(500, 60), 10U) << "of a small one a tenth stays";
  EXPECT_EQ(SpoolSettings{.free_bytes_min = 0}.room_of(500, 60), 60U);
}

TEST_F(SpoolFileTest, AFolderThatCannotBeUsedIsToldAtTheStart) {
  EXPECT_TRUE(Spool::check({.folder = folder}).has_value());
  const auto missing = Spool::check({.folder = folder + "/missing"});
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find(folder + "/missing"), std::string::npos);
  const Spool nowhere({.folder = folder + "/missing"}, metrics, clock);
  const auto refused = nowhere.open([](const Task<void()>&) {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
}

}  // namespace
}  // namespace vigia::router::spool
