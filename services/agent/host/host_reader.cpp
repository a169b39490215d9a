#include "services/agent/host/host_reader.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <system_error>
#include <tuple>

#include <sys/stat.h>

#include "libs/base/utf8.hpp"
#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::host {

namespace {

// /proc/stat has a line for every CPU and a word for every interrupt: 4096 CPUs give about 1 MiB.
constexpr std::size_t kFileBytesMax = 4U << 20U;
constexpr std::uint64_t kTcpLineBytes = 150;
constexpr Duration kFilesystemPatience = std::chrono::seconds(1);
constexpr std::size_t kProcessesMax = 4'194'304;  // the kernel's own limit, PID_MAX_LIMIT

std::optional<double> parse_double(std::optional<std::string_view> word) {
  if (!word) return std::nullopt;
  double value = 0;
  const auto [end, reason] = std::from_chars(word->data(), word->data() + word->size(), value);
  if (reason != std::errc{} || end != word->data() + word->size() || value < 0) return std::nullopt;
  return value;
}

/// Folders of /proc that are named by a number. Nothing where the folder cannot be read.
std::optional<std::uint64_t> count_processes(const std::string& proc) {
  std::error_code reason;
  std::filesystem::directory_iterator entry(proc, reason);
  std::uint64_t count = 0;
  while (!reason && entry != std::filesystem::directory_iterator() && count < kProcessesMax) {
    const std::string name = entry->path().filename().string();
    if (parse_counter(name)) ++count;
    entry.increment(reason);
  }
  if (reason || count == 0) return std::nullopt;
  return count;
}

}  // namespace

std::optional<LoadReading> parse_loadavg(std::string_view text) {
  WordReader words(text);
  const auto one = parse_double(words.next());
  const auto five = parse_double(words.next());
  const auto fifteen = parse_double(words.next());
  if (!one || !five || !fifteen) return std::nullopt;
  return LoadReading{*one, *five, *fifteen};
}

std::optional<double> parse_uptime(std::string_view text) {
  return parse_double(WordReader(text).next());
}

HostReader::HostReader(HostPaths paths, StatFilesystem stat)
    : paths_(std::move(paths)), probe_(std::move(stat), kFilesystemPatience) {}

std::optional<std::string> HostReader::text(const std::string& path, HostReading& reading) const {
  auto content = read_text_file(path, kFileBytesMax);
  if (content) return *std::move(content);
  ++reading.errors;
  return std::nullopt;
}

std::optional<std::string> HostReader::text_of_host(const std::string& name,
                                                    HostReading& reading) const {
  // Process 1 sees the host's mounts and network where the agent runs in a container; without the
  // right to look there, the agent's own view is better than none.
  auto content = read_text_file(paths_.proc + "/1/" + name, kFileBytesMax);
  if (content) return *std::move(content);
  return text(paths_.proc + "/self/" + name, reading);
}

void HostReader::read_cpu(HostReading& reading) {
  const auto content = text(paths_.proc + "/stat", reading);
  if (!content) return;
  auto stat = parse_stat(*content);
  if (!stat) {
    ++reading.errors;
    return;
  }
  // Kept from the first reading: the kernel derives btime from the wall clock, and a start time
  // that wavers by a second makes every counter look restarted.
  if (!boot_s_) boot_s_ = stat->boot_s;
  stat->boot_s = boot_s_;
  reading.stat = *stat;
  reading.cpu_shares = cpu_usage_.update(stat->ticks);
  reading.cpu_ticks = cpu_usage_.ticks();
}

void HostReader::read_memory(HostReading& reading) const {
  if (const auto content = text(paths_.proc + "/meminfo", reading)) {
    if (auto memory = parse_meminfo(*content)) {
      reading.memory = *memory;
    } else {
      ++reading.errors;
    }
  }
  if (const auto content = text(paths_.proc + "/vmstat", reading)) {
    reading.paging = parse_vmstat(*content);
  }
  // A kernel without swap has no such file, which is no error.
  if (const auto content = read_text_file(paths_.proc + "/swaps", kFileBytesMax)) {
    reading.swaps = parse_swaps(*content);
  }
}

void HostReader::read_disks(HostReading& reading) {
  const auto content = text(paths_.proc + "/diskstats", reading);
  if (!content) return;
  const std::string folder = paths_.sys + "/block/";
  struct stat info{};
  const bool has_folder = ::stat(folder.c_str(), &info) == 0;
  const auto is_whole = [&](const std::string& name) {
    if (!has_folder) return true;
    std::string entry = name;  // sysfs writes a slash in a name as "!"
    std::replace(entry.begin(), entry.end(), '/', '!');
    return ::stat((folder + entry).c_str(), &info) == 0;
  };
  reading.disks = select_disks(parse_diskstats(*content), is_whole);
  disk_times_.unwrap(reading.disks);
}

void HostReader::read_filesystems(HostReading& reading) {
  const auto content = text_of_host("mountinfo", reading);
  if (!content) return;
  auto mounts = select_mounts(parse_mountinfo(*content), paths_.excludes);
  std::vector<std::string> paths;
  paths.reserve(mounts.size());
  const std::string prefix = paths_.root == "/" ? "" : paths_.root;
  for (const Mount& mount : mounts) paths.push_back(prefix + mount.mount_point);
  const auto results = probe_.ask(paths);
  std::set<std::tuple<std::string, std::string, std::string, std::string, std::string>> shown;
  for (std::size_t index = 0; index < mounts.size(); ++index) {
    if (results[index].is_stuck) ++reading.filesystems_stuck;
    if (!results[index].space) continue;
    Mount& mount = mounts[index];
    mount.mount_point = to_utf8(mount.mount_point);
    // Two names that differ in bytes that are no UTF-8 read alike once repaired: their points would
    // be two of one series at one time, which a store refuses or takes for a conflict.
    if (!shown.emplace(mount.source, mount.mode, mount.mount_point, mount.type, mount.kind).second)
      continue;
    reading.filesystems.push_back({std::move(mount), *results[index].space});
  }
}

void HostReader::read_network(HostReading& reading) const {
  if (const auto content = text_of_host("net/dev", reading)) {
    reading.interfaces = parse_net_dev(*content);
    std::erase_if(reading.interfaces, [this](const InterfaceCounters& interface) {
      return matches_any(paths_.excludes.interfaces, interface.name);
    });
  }
  read_connections(reading);
}

void HostReader::read_connections(HostReading& reading) const {
  std::uint64_t sockets = 0;
  if (const auto content = text_of_host("net/sockstat", reading)) {
    if (const auto counts = parse_sockstat_tcp(*content)) {
      reading.tcp_time_wait = counts->time_wait;
      sockets = std::max(counts->in_use, counts->time_wait);
    }
  }
  if (const auto content = text_of_host("net/snmp", reading)) {
    reading.tcp_established = parse_snmp_established(*content);
  }
  // The kernel walks its whole hash table for these files; the summary is asked first.
  if (paths_.lists_connections && sockets <= kTcpSocketsMax) list_connections(reading);
}

void HostReader::list_connections(HostReading& reading) const {
  TcpStateCounts counts{};
  for (const char* name : {"net/tcp", "net/tcp6"}) {
    HostReading unused;  // a host without IPv6 has no tcp6, which is no error
    const auto content = text_of_host(name, unused);
    if (content && content->size() <= 2 * kTcpSocketsMax * kTcpLineBytes) {
      count_tcp_states(*content, counts);
    }
  }
  reading.tcp_states = counts;
}

void HostReader::read_small(HostReading& reading) const {
  if (const auto content = text(paths_.proc + "/loadavg", reading)) {
    reading.load = parse_loadavg(*content);
  }
  if (const auto content = text(paths_.proc + "/uptime", reading)) {
    reading.uptime_s = parse_uptime(*content);
  }
  reading.processes = count_processes(paths_.proc);
}

HostReading HostReader::read() {
  HostReading reading;
  read_cpu(reading);
  read_memory(reading);
  read_disks(reading);
  read_filesystems(reading);
  read_network(reading);
  read_small(reading);
  return reading;
}

}  // namespace vigia::agent::host
