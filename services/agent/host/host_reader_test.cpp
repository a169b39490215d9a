#include "services/agent/host/host_reader.hpp"

#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "services/agent/host/identity.hpp"
#include "services/agent/telemetry/host_families.hpp"

namespace vigia::agent::host {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

HostPaths tree(const std::string& name) {
  const std::string base = "tests/golden/proc/" + name;
  return {base + "/proc", base + "/sys", base + "/root"};
}

std::optional<FilesystemSpace> fixed_space(const std::string& path) {
  if (path.ends_with("/gone")) return std::nullopt;
  return FilesystemSpace{600, 300, 100};
}

/// The value of one point, by family name and the values of its attributes in order.
std::optional<double> value_of(const std::vector<MetricFamily>& families, std::string_view name,
                               const std::vector<std::string>& attributes = {}) {
  for (const MetricFamily& family : families) {
    if (family.name != name) continue;
    for (const MetricPoint& point : family.points) {
      std::vector<std::string> values;
      for (const auto& [key, value] : point.attributes) values.push_back(value);
      if (values != attributes) continue;
      return std::visit([](auto value) { return static_cast<double>(value); }, point.value);
    }
  }
  return std::nullopt;
}

// R-SC-1, R-SC-2.
TEST(HostReader, OrdinaryHostIsReadWhole) {
  HostReader reader(tree("debian12"), fixed_space);
  const HostReading reading = reader.read();
  EXPECT_EQ(reading.errors, 0U);
  const auto families = telemetry::host_families(reading, 1);
  EXPECT_EQ(value_of(families, "system.cpu.time", {"user"}), 180.0);
  EXPECT_EQ(value_of(families, "system.cpu.time", {"guest"}), 21.0);
  EXPECT_EQ(value_of(families, "system.cpu.logical.count"), 2);
  EXPECT_EQ(value_of(families, "system_memory_usage_percent"), 25.0);
  EXPECT_EQ(value_of(families, "system.memory.usage", {"used"}), 2'000'000.0 * 1024);
  EXPECT_EQ(value_of(families, "system.memory.linux.available"), 6'000'000.0 * 1024);
  EXPECT_EQ(value_of(families, "system.paging.usage", {"/dev/sda2", "used"}), 97'148.0 * 1024);
  EXPECT_EQ(value_of(families, "system.paging.faults", {"minor"}), 123'000);
  EXPECT_EQ(value_of(families, "system.disk.io", {"write", "sda"}), 80'000.0 * 512);
  EXPECT_EQ(value_of(families, "system.disk.io", {"write", "sda1"}), std::nullopt);
  EXPECT_EQ(value_of(families, "system.disk.io_time", {"dm-0"}), 7.1);
  EXPECT_EQ(
      value_of(families, "system.filesystem.utilization", {"/dev/sda1", "rw", "/", "ext4", "used"}),
      0.66667);  // 600 / 900, and no digit that would be noise
  EXPECT_EQ(value_of(families, "system.filesystem.usage",
                     {"/dev/sda1", "rw", "/var/www", "ext4", "bind", "reserved"}),
            100);
  EXPECT_EQ(value_of(families, "system.filesystem.limit",
                     {"/dev/mapper/usb", "ro", "/mnt/usb stick", "vfat"}),
            1000);
  EXPECT_EQ(value_of(families, "system.network.io", {"eth0", "transmit"}), 1'290'509);
  EXPECT_EQ(value_of(families, "system.network.packet.dropped", {"eth0", "receive"}), 2);
  EXPECT_EQ(value_of(families, "system.network.connection.count", {"established", "tcp"}), 5);
  EXPECT_EQ(value_of(families, "system.network.connection.count", {"time_wait", "tcp"}), 1);
  EXPECT_EQ(value_of(families, "system.network.connection.count", {"listen", "tcp"}), std::nullopt);
  EXPECT_EQ(value_of(families, "system.cpu.load_average.1m"), 0.76);
  EXPECT_EQ(value_of(families, "system.uptime"), 3600.25);
  EXPECT_EQ(value_of(families, "system.process.count"), 3);
  EXPECT_EQ(families.front().start_ns, 1'795'574'328'000'000'000);
}

TEST(HostReader, ConnectionsAreListedWhereAskedFor) {
  HostPaths paths = tree("debian12");
  paths.lists_connections = true;
  HostReader reader(paths, fixed_space);
  const auto families = telemetry::host_families(reader.read(), 1);
  EXPECT_EQ(value_of(families, "system.network.connection.count", {"listen", "tcp"}), 2);
  EXPECT_EQ(value_of(families, "system.network.connection.count", {"established", "tcp"}), 1);
}

TEST(HostReader, MountThatDoesNotAnswerIsLeftOut) {
  HostReader reader(tree("debian12"), fixed_space);
  std::vector<std::string> mount_points;
  for (const auto& filesystem : reader.read().filesystems) {
    mount_points.push_back(filesystem.mount.mount_point);
  }
  EXPECT_THAT(mount_points, UnorderedElementsAre("/", "/var/www", "/mnt/usb stick"));
}

/// A tree in which single files are replaced between rounds.
class ChangingTree : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::copy("tests/golden/proc/debian12", folder_,
                          std::filesystem::copy_options::recursive);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void replace(const std::string& file, const std::string& from_tree) {
    std::filesystem::copy_file("tests/golden/proc/" + from_tree + "/" + file, folder_ / file,
                               std::filesystem::copy_options::overwrite_existing);
  }
  HostPaths paths() const { return {folder_ / "proc", folder_ / "sys", folder_ / "root"}; }

  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                  ("vigia-tree-" + std::to_string(::getpid()) + "-" +
                                   testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(ChangingTree, CpuTakenOfflineKeepsSharesAndStartTime) {
  HostReader reader(paths(), fixed_space);
  EXPECT_FALSE(reader.read().cpu_shares);
  replace("proc/stat", "hotplug");
  const HostReading reading = reader.read();
  ASSERT_TRUE(reading.cpu_shares);
  const auto families = telemetry::host_families(reading, 1);
  EXPECT_EQ(value_of(families, "system.cpu.logical.count"), 1);
  EXPECT_EQ(value_of(families, "system_cpu_usage"), 22.222);           // 200 / 900
  EXPECT_EQ(value_of(families, "system.cpu.time", {"iowait"}), 12.0);  // did not fall
  EXPECT_EQ(families.front().start_ns, 1'795'574'328'000'000'000);     // did not waver
}

// D05: the names' last bytes are no UTF-8, and were two points of one series at one time.
TEST_F(ChangingTree, ThreeMountsOfOneDeviceWhoseNamesReadAlikeAreSentOnce) {
  std::ofstream(folder_ / "proc/1/mountinfo") << "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                                 "26 25 8:1 /a /mnt/\xff rw - ext4 /dev/sda1 rw\n"
                                                 "27 25 8:1 /b /mnt/\xfe rw - ext4 /dev/sda1 rw\n"
                                                 "28 25 8:1 /c /mnt/c rw - ext4 /dev/sda1 rw\n";
  HostReader reader(paths(), fixed_space);
  const auto families = telemetry::host_families(reader.read(), 1);
  std::multiset<std::vector<std::string>> points;
  for (const MetricFamily& family : families) {
    if (family.name != "system.filesystem.limit") continue;
    for (const MetricPoint& point : family.points) {
      std::vector<std::string> values;
      for (const auto& [name, value] : point.attributes) values.push_back(value);
      points.insert(values);
    }
  }
  EXPECT_EQ(points, (std::multiset<std::vector<std::string>>{
                        {"/dev/sda1", "rw", "/", "ext4"},
                        {"/dev/sda1", "rw", "/mnt/\xef\xbf\xbd", "ext4", "bind"},
                        {"/dev/sda1", "rw", "/mnt/c", "ext4", "bind"}}));
}

TEST_F(ChangingTree, FileThatVanishesTakesOnlyItsOwnMetrics) {
  HostReader reader(paths(), fixed_space);
  std::filesystem::remove(folder_ / "proc/meminfo");
  std::filesystem::remove(folder_ / "proc/diskstats");
  const HostReading reading = reader.read();
  EXPECT_EQ(reading.errors, 2U);
  const auto families = telemetry::host_families(reading, 1);
  EXPECT_EQ(value_of(families, "system.memory.limit"), std::nullopt);
  EXPECT_EQ(value_of(families, "system.cpu.logical.count"), 2);
  EXPECT_EQ(value_of(families, "system.uptime"), 3600.25);
}

TEST(HostReader, OldKernelIsRead) {
  HostReader reader(tree("kernel2632"), fixed_space);
  const auto families = telemetry::host_families(reader.read(), 1);
  EXPECT_EQ(value_of(families, "system.memory.linux.available"),
            (50'000.0 + 20'000 + 100'000 + 15'000 - 5'000) * 1024);
  EXPECT_EQ(value_of(families, "system.cpu.time", {"interrupt"}), 0.3);
  EXPECT_EQ(value_of(families, "system.cpu.time", {"guest"}), 0);
  EXPECT_EQ(value_of(families, "system.disk.io", {"read", "hda1"}), 20.0 * 512);
  EXPECT_EQ(value_of(families, "system.disk.merged", {"read", "hda1"}), std::nullopt);
  EXPECT_EQ(value_of(families, "system.network.io", {"eth0", "receive"}), 4'294'967'290);
  EXPECT_EQ(value_of(families, "system.filesystem.limit", {"/dev/root", "rw", "/", "ext3"}), 1000);
}

TEST(HostReader, HugeAndBrokenNumbersNeitherWrapNorStopTheRest) {
  HostReader reader(tree("huge"), fixed_space);
  const auto families = telemetry::host_families(reader.read(), 7);
  constexpr auto kMost = static_cast<double>(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(value_of(families, "system.memory.limit"), kMost);
  EXPECT_EQ(value_of(families, "system_memory_usage_percent"), 0);
  EXPECT_EQ(value_of(families, "system.disk.io", {"read", "sd\xEF\xBF\xBD"}), kMost);
  EXPECT_EQ(value_of(families, "system.network.io", {"eth0", "receive"}), kMost);
  EXPECT_EQ(value_of(families, "system.network.connection.count", {"listen", "tcp"}), std::nullopt);
  EXPECT_EQ(value_of(families, "system.cpu.load_average.1m"), std::nullopt);
  EXPECT_EQ(value_of(families, "system.uptime"), std::nullopt);
  for (const MetricFamily& family : families) {
    for (const MetricPoint& point : family.points) {
      EXPECT_GE(std::visit([](auto value) { return static_cast<double>(value); }, point.value), 0)
          << family.name;
    }
  }
}

TEST(HostReader, EmptyTreeGivesErrorsAndNoMetrics) {
  HostReader reader({"/no/such/proc", "/no/such/sys", "/no/such"}, fixed_space);
  const HostReading reading = reader.read();
  EXPECT_GE(reading.errors, 6U);
  EXPECT_TRUE(telemetry::host_families(reading, 1).empty());
}

TEST(HostReader, ThisHostIsRead) {
  HostReader reader(HostPaths{}, stat_filesystem);
  const auto families = telemetry::host_families(reader.read(), 1);
  EXPECT_GT(value_of(families, "system.memory.limit").value_or(0), 0);
  EXPECT_GT(value_of(families, "system.uptime").value_or(0), 0);
  EXPECT_GT(value_of(families, "system.process.count").value_or(0), 0);
}

// R-SC-3.
TEST(Identity, HostAndSystemAreNamed) {
  std::map<std::string, std::string> found;
  for (const auto& attribute : read_identity(tree("debian12"))) {
    if (!attribute.is_list) found[attribute.key] = attribute.values.front();
    if (attribute.key == "host.mac") {
      EXPECT_THAT(attribute.values, ElementsAre("02-42-AC-11-00-02"));
    }
  }
  EXPECT_EQ(found["host.id"], "4f1c2d3e4f5061728394a5b6c7d8e9f0");
  EXPECT_EQ(found["host.name"], "web-01");
  EXPECT_EQ(found["os.type"], "linux");
  EXPECT_EQ(found["os.name"], "Debian GNU/Linux");
  EXPECT_EQ(found["os.version"], "12");
  EXPECT_EQ(found["os.build_id"], "6.1.0-31-amd64");
}

// D32.
TEST(HostReader, WhatContainersBringIsLeftOut) {
  HostReader reader(tree("containers"), fixed_space);
  const HostReading reading = reader.read();
  std::vector<std::string> mounts;
  for (const FilesystemReading& filesystem : reading.filesystems)
    mounts.push_back(filesystem.mount.mount_point);
  EXPECT_THAT(mounts, UnorderedElementsAre("/run", "/", "/dev/shm", "/var/lib/docker"));
  std::vector<std::string> interfaces;
  for (const InterfaceCounters& interface : reading.interfaces)
    interfaces.push_back(interface.name);
  EXPECT_THAT(interfaces, ElementsAre("lo", "eth0", "br0"));
}

TEST(HostReader, AnotherChoiceIsFollowed) {
  HostPaths paths = tree("containers");
  paths.excludes.mounts.clear();
  paths.excludes.types = {"tmpfs"};
  paths.excludes.interfaces = {"lo", "*0"};
  HostReader reader(paths, fixed_space);
  const HostReading reading = reader.read();
  EXPECT_EQ(reading.filesystems.size(), 5U);  // two disks, two overlays, the subpath of a pod
  EXPECT_EQ(reading.interfaces.size(), 3U);
}

// D07.
TEST(Identity, APlaceholderGivesWayToTheNextSource) {
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& attribute : read_identity(tree("containers")))
    found[attribute.key] = attribute.values;
  EXPECT_THAT(found["host.id"], ElementsAre("5d0c7a1be3f44d0f8a7be6c2d9e0f1a2"));
  EXPECT_THAT(found["host.mac"], ElementsAre("52-54-00-12-34-56"));
  for (const std::string& name : found["host.name"]) EXPECT_NE(name, "localhost.localdomain");
}

}  // namespace
}  // namespace vigia::agent::host
