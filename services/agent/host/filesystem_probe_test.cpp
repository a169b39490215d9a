#include "services/agent/host/filesystem_probe.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"

namespace vigia::agent::host {
namespace {

/// A file system that answers only while its gate is open.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_open = false;
  std::atomic<int> waiting{0};

  void pass() {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.wait(lock, [&] { return is_open; });
    --waiting;
  }
  void open() {
    const std::lock_guard lock(mutex);
    is_open = true;
    changed.notify_all();
  }
};

class FilesystemProbeTest : public testing::Test {
 protected:
  // Held by the probe's thread as well, which may still wait when the test ends.
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  FilesystemProbe probe_{[gate = gate_](const std::string& path) -> std::optional<FilesystemSpace> {
                           if (path == "/dead") gate->pass();
                           if (path == "/missing") return std::nullopt;
                           if (path == "/fault") throw std::runtime_error("a fault of ours");
                           return FilesystemSpace{1, 2, 3};
                         },
                         std::chrono::seconds(2)};
  ~FilesystemProbeTest() override { gate_->open(); }
};

// C40.
TEST_F(FilesystemProbeTest, DeadMountKeepsOneThreadAndNobodyElse) {
  for (int round = 0; round < 10; ++round) {
    const auto results = probe_.ask({"/a", "/dead", "/b"});
    ASSERT_EQ(results.size(), 3U);
    EXPECT_TRUE(results[0].space);
    EXPECT_TRUE(results[1].is_stuck);
    EXPECT_FALSE(results[1].space);
    EXPECT_TRUE(results[2].space);
  }
  EXPECT_EQ(gate_->waiting, 1);
}

// C40.
TEST_F(FilesystemProbeTest, MountThatRecoversIsAskedAgain) {
  EXPECT_TRUE(probe_.ask({"/dead"})[0].is_stuck);
  gate_->open();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!probe_.ask({"/dead"})[0].space && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(probe_.ask({"/dead"})[0].space->limit(), 6U);
}

TEST_F(FilesystemProbeTest, MissingPathIsNotStuck) {
  const auto results = probe_.ask({"/missing"});
  EXPECT_FALSE(results[0].space);
  EXPECT_FALSE(results[0].is_stuck);
}

TEST_F(FilesystemProbeTest, AThrowCostsOneAnswer) {
  const auto before = fault_count();
  const auto results = probe_.ask({"/fault", "/a"});
  EXPECT_FALSE(results[0].space);
  EXPECT_FALSE(results[0].is_stuck);
  EXPECT_TRUE(results[1].space);
  EXPECT_EQ(fault_count(), before + 1);
}

TEST(StatFilesystem, RootHasASize) {
  const auto space = stat_filesystem("/");
  ASSERT_TRUE(space);
  EXPECT_GT(space->limit(), 0U);
  EXPECT_FALSE(stat_filesystem("/no/such/place"));
}

}  // namespace
}  // namespace vigia::agent::host
