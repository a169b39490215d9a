#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/agent/host/cpu.hpp"
#include "services/agent/host/disk.hpp"
#include "services/agent/host/identity.hpp"
#include "services/agent/host/memory.hpp"
#include "services/agent/host/mounts.hpp"
#include "services/agent/host/network.hpp"
#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::host {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

double share(const CpuShares& shares, CpuMode mode) {
  return shares.share[static_cast<std::size_t>(mode)];
}

TEST(ProcText, NumberThatDoesNotFitIsTheLargest) {
  EXPECT_EQ(parse_counter("18446744073709551615"), kLargest);
  EXPECT_EQ(parse_counter("99999999999999999999999"), kLargest);
  EXPECT_EQ(parse_counter("12x"), std::nullopt);
  EXPECT_EQ(parse_counter("-1"), std::nullopt);
  EXPECT_EQ(parse_counter(""), std::nullopt);
  EXPECT_EQ(to_signed_saturating(kLargest), std::numeric_limits<std::int64_t>::max());
}

TEST(ProcText, OctalEscapesAreUndone) {
  EXPECT_EQ(unescape_octal(R"(/mnt/my\040disk\011\134x)"), "/mnt/my disk\t\\x");
  EXPECT_EQ(unescape_octal(R"(end\04)"), R"(end\04)");
  EXPECT_EQ(unescape_octal(R"(\999)"), R"(\999)");
}

// C38.
TEST(Cpu, GuestTimeIsCountedOnce) {
  CpuUsage usage;
  const auto ticks = [](const char* line) { return parse_stat(line)->ticks; };
  EXPECT_FALSE(usage.update(ticks("cpu  1000 0 100 8000 0 0 0 0 500 0\n")));
  const auto shares = usage.update(ticks("cpu  1100 0 120 8080 0 0 0 0 600 0\n"));
  ASSERT_TRUE(shares);
  EXPECT_DOUBLE_EQ(share(*shares, CpuMode::kUser), 0);
  EXPECT_DOUBLE_EQ(share(*shares, CpuMode::kGuest), 0.5);
  EXPECT_DOUBLE_EQ(share(*shares, CpuMode::kSystem), 0.1);
  EXPECT_DOUBLE_EQ(share(*shares, CpuMode::kIdle), 0.4);
  EXPECT_DOUBLE_EQ(share(*shares, CpuMode::kSteal), 0);
  EXPECT_DOUBLE_EQ(shares->busy_percent, 60);
}

TEST(Cpu, ModesThatFallALittleStay) {
  CpuUsage usage;
  usage.update({100, 0, 0, 1000, 50, 0, 0, 0});
  const auto shares = usage.update({110, 0, 0, 1100, 48, 0, 0, 0});
  ASSERT_TRUE(shares);
  EXPECT_DOUBLE_EQ(share(*shares, CpuMode::kIowait), 0);
  EXPECT_EQ(usage.ticks()[static_cast<std::size_t>(CpuMode::kIowait)], 50U);
}

TEST(Cpu, CountersThatBeginAnewGiveNoNegativeShares) {
  CpuUsage usage;
  usage.update({100'000, 0, 0, 1'000'000, 0, 0, 0, 0});
  EXPECT_FALSE(usage.update({5, 0, 0, 10, 0, 0, 0, 0}));  // every mode fell: no time has passed
  const auto shares = usage.update({15, 0, 0, 20, 0, 0, 0, 0});
  ASSERT_TRUE(shares);
  EXPECT_DOUBLE_EQ(shares->busy_percent, 50);
}

TEST(Cpu, UnchangedTicksGiveNothing) {
  CpuUsage usage;
  usage.update({1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_FALSE(usage.update({1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Cpu, OldKernelWithFourColumnsIsRead) {
  const auto stat = parse_stat("cpu  10 20 30 40\ncpu0 10 20 30 40\nbtime 1700000000\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->ticks, (CpuTicks{10, 20, 30, 40, 0, 0, 0, 0}));
  EXPECT_EQ(stat->logical_count, 1U);
  EXPECT_EQ(stat->boot_s, 1'700'000'000);
}

TEST(Cpu, DamagedFileIsAnError) {
  EXPECT_FALSE(parse_stat(""));
  EXPECT_FALSE(parse_stat("cpu  1 2 x\n"));
  EXPECT_FALSE(parse_stat("cpu0 1 2 3 4\n"));
}

// R-SC-1.
TEST(Memory, UsedIsWhatIsNotAvailable) {
  const auto memory = parse_meminfo(
      "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 700 kB\nBuffers: 50 kB\n"
      "Cached: 500 kB\nSReclaimable: 60 kB\nShmem: 20 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->used(), 300U * 1024);
  EXPECT_EQ(memory->cached, 560U * 1024);
}

TEST(Memory, MissingMemAvailableIsEstimated) {
  const auto memory = parse_meminfo(
      "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 500 kB\nSReclaimable: 60 kB\n"
      "Shmem: 20 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->available, (100U + 50 + 500 + 60 - 20) * 1024);
}

TEST(Memory, AvailableIsNeverMoreThanAllOfIt) {
  const auto memory = parse_meminfo("MemTotal: 10 kB\nMemFree: 20 kB\nMemAvailable: 30 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->used(), 0U);
  EXPECT_FALSE(parse_meminfo("MemFree: 20 kB\n"));
}

TEST(Memory, SwapAreasWithSpacesInTheirNames) {
  const auto swaps = parse_swaps(
      "Filename Type Size Used Priority\n/swap\\040file file 2048 512 -2\n/dev/dm-1 partition 1 9 "
      "-3\n");
  ASSERT_EQ(swaps.size(), 2U);
  EXPECT_EQ(swaps[0].device, "/swap file");
  EXPECT_EQ(swaps[0].used, 512U * 1024);
  EXPECT_EQ(swaps[1].used, swaps[1].total);
}

TEST(Disk, WholeDisksThatHaveWorkedAreKept) {
  auto disks = parse_diskstats(
      "   8 0 sda 10 1 20 30 40 2 50 60 0 70 80\n   8 1 sda1 9 1 20 30 40 2 50 60 0 70 80\n"
      "   7 0 loop0 5 0 8 0 0 0 0 0 0 0 0\n   8 16 sdb 0 0 0 0 0 0 0 0 0 0 0\n");
  disks = select_disks(std::move(disks), [](const std::string& name) { return name != "sda1"; });
  ASSERT_EQ(disks.size(), 1U);
  EXPECT_EQ(disks[0].name, "sda");
  EXPECT_EQ(disks[0].read.bytes, 20U * 512);
  EXPECT_EQ(disks[0].write.operations, 40U);
  EXPECT_EQ(disks[0].write.time_ms, 60U);
  EXPECT_EQ(disks[0].busy_ms, 70U);
}

// D06: names that end in a digit without being partitions, minors past 255, lines of 11 to 20
// columns.
TEST(Disk, WholeDevicesOfAllKindsAreKeptWhole) {
  auto disks = parse_diskstats(
      " 259 0 nvme0n1 1 0 8 1 2 0 16 1 0 1 2 3 0 24 1 4 5\n"
      " 259 300 nvme12n3 1 0 8 1 2 0 16 1 0 1 2 3 0 24 1 4 5 6 7\n"
      " 259 1 nvme0n1p1 1 0 8 1 2 0 16 1 0 1 2\n"
      " 202 1 xvda1 1 0 8 1 2 0 16 1 0 1 2\n"
      " 104 0 cciss/c0d0 1 0 8 1 2 0 16 1 0 1 2 3 0 24 1\n"
      " 104 1 cciss/c0d0p1 1 0 8 1 2 0 16 1 0 1 2\n"
      " 253 17 dm-17 1 0 8 1 2 0 16 1 0 1 2\n"
      " 9 127 md127 1 0 8 1 2 0 16 1 0 1 2\n"
      " 179 0 mmcblk0 1 0 8 1 2 0 16 1 0 1 2\n"
      " 7 1 loop1 1 0 8 1 2 0 16 1 0 1 2\n");
  const std::set<std::string> partitions = {"nvme0n1p1", "cciss/c0d0p1"};
  disks = select_disks(std::move(disks),
                       [&](const std::string& name) { return !partitions.contains(name); });
  std::vector<std::string> names;
  for (const DiskCounters& disk : disks) {
    names.push_back(disk.name);
    EXPECT_EQ(disk.read.bytes, 8U * 512) << disk.name;
    EXPECT_EQ(disk.write.bytes, 16U * 512) << disk.name;
  }
  EXPECT_THAT(names, ElementsAre("nvme0n1", "nvme12n3", "xvda1", "cciss/c0d0", "dm-17", "md127",
                                 "mmcblk0"));
}

TEST(Disk, ShortLinesOfOldKernelsHaveNoTimes) {
  const auto disks = parse_diskstats("   3 1 hda1 35486 38030 38030 38030\n   3 0 hda cut\n");
  ASSERT_EQ(disks.size(), 1U);
  EXPECT_FALSE(disks[0].has_times);
  EXPECT_EQ(disks[0].read.bytes, 38'030U * 512);
}

TEST(Disk, ThirtyTwoBitTimesGoOnPastTheirEnd) {
  DiskTimeUnwrapper unwrapper;
  std::vector<DiskCounters> disks(1);
  disks[0].name = "sda";
  disks[0].busy_ms = 4'294'967'000;
  unwrapper.unwrap(disks);
  EXPECT_EQ(disks[0].busy_ms, 4'294'967'000U);
  disks[0].busy_ms = 704;  // 1000 ms later
  unwrapper.unwrap(disks);
  EXPECT_EQ(disks[0].busy_ms, 4'294'968'000U);
  disks[0].busy_ms = 3;  // a device of that name that is new: a reset, not a round
  unwrapper.unwrap(disks);
  EXPECT_EQ(disks[0].busy_ms, 3U);
}

HostExcludes nothing_excluded() {
  HostExcludes excludes;
  excludes.mounts.clear();
  excludes.interfaces.clear();
  return excludes;
}

std::vector<std::pair<std::string, std::string>> kinds(const std::string& mountinfo) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const Mount& mount : select_mounts(parse_mountinfo(mountinfo), nothing_excluded())) {
    found.emplace_back(mount.mount_point, mount.kind);
  }
  return found;
}

TEST(Mounts, BindMountsAreMarkedSoThatADeviceCountsOnce) {
  EXPECT_THAT(
      kinds("30 25 8:1 /srv /data rw - ext4 /dev/sda1 rw\n"
            "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
            "31 25 8:1 / /again rw - ext4 /dev/sda1 rw\n"
            "32 25 0:5 / /proc rw - proc proc rw\n"
            "33 25 8:2 /only /part ro,nosuid - xfs /dev/sda2 rw\n"),
      ElementsAre(Pair("/data", "bind"), Pair("/", ""), Pair("/again", "bind"), Pair("/part", "")));
}

TEST(Mounts, SubvolumesAndOverlaysAreMarked) {
  EXPECT_THAT(kinds("25 1 0:30 /@ / rw - btrfs /dev/sdb rw,subvol=/@\n"
                    "26 25 0:31 /@home /home rw - btrfs /dev/sdb rw,subvol=/@home\n"
                    "27 25 0:40 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n"),
              ElementsAre(Pair("/", ""), Pair("/home", "subvolume"),
                          Pair("/var/lib/docker/overlay2/x/merged", "overlay")));
}

TEST(Mounts, NamesAreUnescapedAndHiddenMountsDropped) {
  const auto mounts = select_mounts(
      parse_mountinfo("25 1 8:1 / /mnt/usb\\040stick rw - vfat /dev/sdc1 rw\n"
                      "26 25 8:2 / /mnt/usb\\040stick ro shared:1 master:2 - ext4 /dev/sdd1 rw\n"
                      "27 25 8:3\n"
                      "28 25 8:4 / /x rw no dash here\n"),
      {});
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts[0].mount_point, "/mnt/usb stick");
  EXPECT_EQ(mounts[0].source, "/dev/sdd1");
  EXPECT_EQ(mounts[0].mode, "ro");
}

/// Mounts of 40 containers, of which none was there in another generation (D32).
std::string mounts_of_containers(int generation) {
  std::string text = "28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n";
  for (int container = 0; container < 40; ++container) {
    const std::string id = std::to_string(generation) + "f" + std::to_string(container);
    const std::string device = "0:" + std::to_string(100 + 3 * container);
    text += "90 28 " + device + " / /var/lib/docker/overlay2/" + id +
            "/merged rw shared:4 - overlay overlay rw\n";
    text += "91 28 " + device + " / /run/containerd/io.containerd.grpc.v1.cri/sandboxes/" + id +
            "/shm rw - tmpfs shm rw\n";
    text += "92 28 " + device + " / /var/lib/kubelet/pods/" + id +
            "/volumes/kubernetes.io~projected/t rw - tmpfs tmpfs rw\n";
  }
  return text;
}

TEST(Mounts, FiveGenerationsOfContainersAddNone) {
  std::set<std::string> seen;
  for (int generation = 0; generation < 5; ++generation) {
    for (const Mount& mount :
         select_mounts(parse_mountinfo(mounts_of_containers(generation)), HostExcludes{}))
      seen.insert(mount.mount_point);
  }
  EXPECT_THAT(seen, ElementsAre("/"));
}

TEST(Mounts, WhatIsLeftOutCanBeChosen) {
  HostExcludes excludes;
  excludes.mounts = {"/mnt/*"};
  excludes.types = {"nfs*"};
  const auto mounts =
      select_mounts(parse_mountinfo("25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                    "26 25 8:2 / /mnt/a rw - ext4 /dev/sdb1 rw\n"
                                    "27 25 0:9 / /home rw - nfs4 nas:/home rw\n"
                                    "28 25 8:3 / /var/lib/docker/x rw - xfs d rw\n"),
                    excludes);
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].mount_point, "/");
  EXPECT_EQ(mounts[1].mount_point, "/var/lib/docker/x");
}

TEST(Network, WhatComesWithContainersIsLeftOutAndTheHostsOwnStays) {
  const HostExcludes excludes;
  for (const std::string_view name :
       {"veth1a2b3c4", "docker0", "br-5c6f0a1e2b3d", "cali0d1e2f", "cni0", "virbr0", "tap100i0"})
    EXPECT_TRUE(matches_any(excludes.interfaces, name)) << name;
  for (const std::string_view name :
       {"lo", "eth0", "ens18", "enp3s0f1", "br0", "bond0.100", "wlan0", "tun0", "tap0", "wg0"})
    EXPECT_FALSE(matches_any(excludes.interfaces, name)) << name;
}

// D07.
TEST(Identity, PlaceholdersAreNoIdentity) {
  EXPECT_TRUE(is_machine_id("4f1c2d3e4f5061728394a5b6c7d8e9f0"));
  for (const std::string_view text :
       {"", "uninitialized", "00000000000000000000000000000000", "4f1c2d3e4f5061728394a5b6c7d8e9f",
        "4f1c2d3e-4f50-6172-8394-a5b6c7d8e9f0", "4f1c2d3e4f5061728394a5b6c7d8e9g0"})
    EXPECT_FALSE(is_machine_id(text)) << text;
  for (const std::string_view text : {"web-01", "localhosts", "a"}) EXPECT_TRUE(is_host_name(text));
  for (const std::string_view text : {"", "localhost", "localhost.localdomain", "(none)"})
    EXPECT_FALSE(is_host_name(text)) << text;
  EXPECT_EQ(format_mac("ff:ff:ff:ff:ff:ff"), "");
}

TEST(Network, InterfacesThatHaveMovedPacketsAreRead) {
  const auto interfaces = parse_net_dev(
      "Inter-|   Receive                           |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop "
      "fifo colls carrier compressed\n"
      "  eth0:768576869 19036 1 2 0 0 0 0 1290509 11353 3 4 0 0 0 0\n"
      "eth0:1: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n"
      "  ifb0:       0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
      "  bad0: 1 2 3\n");
  ASSERT_EQ(interfaces.size(), 2U);
  EXPECT_EQ(interfaces[0].name, "eth0");
  EXPECT_EQ(interfaces[0].receive.bytes, 768'576'869U);
  EXPECT_EQ(interfaces[0].receive.dropped, 2U);
  EXPECT_EQ(interfaces[0].transmit.errors, 3U);
  EXPECT_EQ(interfaces[1].name, "eth0:1");
}

TEST(Network, TcpStatesAreCounted) {
  TcpStateCounts counts{};
  count_tcp_states(
      "  sl  local_address rem_address   st tx_queue rx_queue\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n"
      "   1: 0100007F:1F90 0100007F:A1B2 01 00000000:00000000\n"
      "   2: 0100007F:1F90 0100007F:A1B3 01 00000000:00000000\n"
      "   3: 0100007F:1F90 0100007F:A1B4 0C 00000000:00000000\n"
      "   4: 0100007F:1F90 0100007F:A1B5 7F 00000000:00000000\n",
      counts);
  EXPECT_EQ(counts, (TcpStateCounts{2, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0}));
}

TEST(Network, SocketsAreCountedFromSockstat) {
  const auto counts =
      parse_sockstat_tcp("sockets: used 17\nTCP: inuse 5 orphan 1 tw 7 alloc 9 mem 3\n");
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->in_use, 5U);
  EXPECT_EQ(counts->time_wait, 7U);
  EXPECT_FALSE(parse_sockstat_tcp("UDP: inuse 0 mem 0\n"));
}

TEST(Network, EstablishedConnectionsAreFoundByTheirName) {
  EXPECT_EQ(parse_snmp_established("Ip: Forwarding\nIp: 1\nTcp: RtoMin MaxConn CurrEstab InSegs\n"
                                   "Tcp: 200 -1 42 7\n"),
            42U);
  EXPECT_EQ(parse_snmp_established("Tcp: RtoMin CurrEstab\nTcp: 200\n"), std::nullopt);
  EXPECT_EQ(parse_snmp_established("Tcp: RtoMin\nTcp: 200\n"), std::nullopt);
  EXPECT_EQ(parse_snmp_established(""), std::nullopt);
}

TEST(Identity, OsReleaseQuotesAreUndone) {
  EXPECT_THAT(
      parse_os_release("# x\nNAME=\"Debian \\\"GNU\\\"\"\nVERSION_ID='12'\nID=debian\nbad\n"),
      ElementsAre(Pair("NAME", "Debian \"GNU\""), Pair("VERSION_ID", "12"), Pair("ID", "debian")));
}

// R-SC-3.
TEST(Identity, MacsAreUpperCaseWithHyphens) {
  EXPECT_EQ(format_mac("02:42:ac:11:00:0f"), "02-42-AC-11-00-0F");
  EXPECT_EQ(format_mac("00:00:00:00:00:00"), "");
  EXPECT_EQ(format_mac("fe80::1"), "");
  EXPECT_EQ(format_arch("x86_64"), "amd64");
  EXPECT_EQ(format_arch("riscv64"), "riscv64");
}

}  // namespace
}  // namespace vigia::agent::host
