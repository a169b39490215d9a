#include "services/collector/memory_limiter/settings.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/collector/memory_limiter/total_memory.hpp"

namespace vigia::collector::memory_limiter {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = 1ULL << 20U;

struct ReadLimiter {
  MemoryLimiterSettings settings;
  std::string error;
  std::size_t notes = 0;
};

ReadLimiter read_limiter(const std::string& yaml) {
  const auto file = service::ConfigFile::parse(yaml, "c.yaml");
  config::Notes notes;
  const std::map<std::string, std::string> tokens;
  ReadLimiter made;
  read(file->root(), true, made.settings, {tokens, notes});
  if (const auto finished = file->finish(); !finished) made.error = finished.error().message;
  made.notes = notes.size();
  return made;
}

TEST(MemoryLimiterSettings, InMiBOrInParts) {
  EXPECT_EQ(read_limiter("{limit_mib: 500, spike_limit_mib: 100}").settings.limit_bytes,
            400 * kMiB);
  const std::uint64_t total = total_memory();
  EXPECT_EQ(read_limiter("{limit_percentage: 50}").settings.limit_bytes, total / 100 * 50);
  EXPECT_EQ(read_limiter("{limit_percentage: 75, spike_limit_percentage: 20}").settings.limit_bytes,
            total / 100 * 55);
  const auto both = read_limiter("{limit_mib: 500, limit_percentage: 50}");
  EXPECT_EQ(both.settings.limit_bytes, 500 * kMiB) << "MiB are nearer to what is meant";
  EXPECT_EQ(both.notes, 1U);
}

TEST(MemoryLimiterSettings, EveryStockKeyIsKnown) {
  const auto made = read_limiter(
      "{check_interval: 1s, limit_mib: 500, spike_limit_mib: 0, limit_percentage: 0,\n"
      " spike_limit_percentage: 0, min_gc_interval_when_soft_limited: 10s,\n"
      " min_gc_interval_when_hard_limited: 0s}");
  EXPECT_EQ(made.error, "");
}

TEST(MemoryLimiterSettings, MistakesAreTold) {
  EXPECT_THAT(read_limiter("{check_interval: 1s}").error,
              HasSubstr("limit_mib or limit_percentage"));
  EXPECT_THAT(read_limiter("{limit_mib: 5, spike_limit_mib: 5}").error, HasSubstr("above spike"));
  EXPECT_THAT(read_limiter("{limit_percentage: 20, spike_limit_percentage: 20}").error,
              HasSubstr("above spike"));
  EXPECT_THAT(read_limiter("{limit_percentage: 101}").error, HasSubstr("limit_percentage"));
}

class TotalMemoryTest : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void SetUp() override { write("/proc/meminfo", "MemTotal:        4096 kB\nMemFree: 1 kB\n"); }
  std::uint64_t total() const { return total_memory(folder_.path()); }

  const TemporaryFolder folder_;
};

TEST_F(TotalMemoryTest, IsTheMachinesWhereNothingBoundsIt) {
  EXPECT_EQ(total(), 4 * kMiB);
  write("/proc/self/cgroup", "0::/\n");
  write("/sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(total(), 4 * kMiB);
}

TEST_F(TotalMemoryTest, IsTheLeastOfItsControlGroups) {
  write("/proc/self/cgroup", "0::/system.slice/vigia.service\n");
  write("/sys/fs/cgroup/system.slice/vigia.service/memory.max", "3145728\n");
  EXPECT_EQ(total(), 3 * kMiB);
  write("/sys/fs/cgroup/system.slice/memory.max", "2097152\n");
  EXPECT_EQ(total(), 2 * kMiB);
  write("/sys/fs/cgroup/memory.max", "1048576\n");
  EXPECT_EQ(total(), kMiB) << "as a container sees its own";
}

TEST_F(TotalMemoryTest, KnowsTheFirstVersionToo) {
  write("/proc/self/cgroup", "5:cpu:/x\n4:cpuset,memory:/docker/abc\n");
  write("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "2097152");
  EXPECT_EQ(total(), 2 * kMiB);
  write("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(total(), 4 * kMiB);
}

}  // namespace
}  // namespace vigia::collector::memory_limiter
