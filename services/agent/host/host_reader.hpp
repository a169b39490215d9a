// Everything that the agent reads of its host in one round. What cannot be read is absent and
// counted; it never keeps the rest from being read.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/agent/host/cpu.hpp"
#include "services/agent/host/disk.hpp"
#include "services/agent/host/excludes.hpp"
#include "services/agent/host/filesystem_probe.hpp"
#include "services/agent/host/memory.hpp"
#include "services/agent/host/mounts.hpp"
#include "services/agent/host/network.hpp"

namespace vigia::agent::host {

/// Where the host's files are: other places inside a container or on recorded trees.
struct HostPaths {
  std::string proc = "/proc";
  std::string sys = "/sys";
  std::string root = "/";
  /// Count TCP connections in every state from their list. The kernel walks its whole table for it:
  /// 15 ms a round on a host with 24 GiB and no connection at all, so it is asked for.
  bool lists_connections = false;
  HostExcludes excludes = {};
};

struct FilesystemReading {
  Mount mount;
  FilesystemSpace space;
};

struct LoadReading {
  double one_minute = 0;
  double five_minutes = 0;
  double fifteen_minutes = 0;
};

struct HostReading {
  std::optional<StatFile> stat;
  std::optional<CpuShares> cpu_shares;  ///< absent in the first round
  CpuTicks cpu_ticks{};                 ///< valid where `stat` is there
  std::optional<MemoryReading> memory;
  std::vector<SwapDevice> swaps;
  PagingCounters paging;
  std::vector<DiskCounters> disks;
  std::vector<FilesystemReading> filesystems;
  std::vector<InterfaceCounters> interfaces;
  std::optional<std::uint64_t> tcp_established;
  std::optional<std::uint64_t> tcp_time_wait;
  std::optional<TcpStateCounts> tcp_states;  ///< where they are listed, up to kTcpSocketsMax
  std::optional<LoadReading> load;
  std::optional<double> uptime_s;
  std::optional<std::uint64_t> processes;
  std::uint64_t filesystems_stuck = 0;  ///< mounts that do not answer
  std::uint64_t errors = 0;             ///< files that could not be read in this round
};

/// More TCP sockets than this are not listed by state: the list alone would cost more than all the
/// rest (about 1 µs a socket).
inline constexpr std::uint64_t kTcpSocketsMax = 10'000;

std::optional<LoadReading> parse_loadavg(std::string_view text);
std::optional<double> parse_uptime(std::string_view text);

/// Thread contract: one thread.
class HostReader {
 public:
  HostReader(HostPaths paths, StatFilesystem stat);
  /// Reads all of it. Takes milliseconds, more only while a file system is newly stuck.
  HostReading read();

 private:
  std::optional<std::string> text(const std::string& path, HostReading& reading) const;
  /// Of the first process where we may read it, since that one is in the host's own namespaces;
  /// else our own.
  std::optional<std::string> text_of_host(const std::string& name, HostReading& reading) const;
  void read_cpu(HostReading& reading);
  void read_memory(HostReading& reading) const;
  void read_disks(HostReading& reading);
  void read_filesystems(HostReading& reading);
  void read_network(HostReading& reading) const;
  void read_connections(HostReading& reading) const;
  void list_connections(HostReading& reading) const;
  void read_small(HostReading& reading) const;

  HostPaths paths_;
  FilesystemProbe probe_;
  CpuUsage cpu_usage_;
  DiskTimeUnwrapper disk_times_;
  // As first seen: some kernels let it waver by a second, and a start time must not.
  std::optional<std::int64_t> boot_s_;
};

}  // namespace vigia::agent::host
