#include "services/agent/telemetry/host_families.hpp"

#include <cmath>
#include <optional>
#include <string>

#include <unistd.h>

#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::telemetry {

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kBootSecondsMax = 9'000'000'000;  // the year 2255; fits as nanoseconds

/// Collects families; each `family` call begins the next one.
class FamilyList {
 public:
  explicit FamilyList(std::int64_t start_ns) : start_ns_(start_ns) {}

  void family(host::InstrumentKind kind, std::string_view name, std::string_view unit,
              std::string_view description) {
    families_.push_back({name, unit, description, kind, false, start_ns_, {}});
  }
  void point(host::PointAttributes attributes, std::uint64_t value) {
    families_.back().points.push_back({std::move(attributes), host::to_signed_saturating(value)});
  }
  void point(host::PointAttributes attributes, double value) {
    families_.back().is_double = true;
    families_.back().points.push_back({std::move(attributes), value});
  }
  std::vector<host::MetricFamily> take() {
    // What this kernel or container cannot tell is left out: 0 would be a value.
    std::erase_if(families_,
                  [](const host::MetricFamily& family) { return family.points.empty(); });
    return std::move(families_);
  }

 private:
  std::int64_t start_ns_;
  std::vector<host::MetricFamily> families_;
};

constexpr auto kCounter = host::InstrumentKind::kCounter;
constexpr auto kUpDown = host::InstrumentKind::kUpDownCounter;
constexpr auto kGauge = host::InstrumentKind::kGauge;

// Shares carry five decimals and percentages three, finer than what they are made of (a CPU's tick
// in 15 s is 0.0007 of it). The digits behind would be noise, which no store can pack: seven bytes
// a sample instead of under two.
double rounded_share(double share) {
  constexpr double kSteps = 1e5;
  return std::round(share * kSteps) / kSteps;
}
double rounded_percent(double percent) {
  constexpr double kSteps = 1e3;
  return std::round(percent * kSteps) / kSteps;
}

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void add_cpu(FamilyList& list, const host::HostReading& reading) {
  if (!reading.stat) return;
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  list.family(kCounter, "system.cpu.time", "s", "CPU time of all CPUs, by what it went to");
  for (std::size_t mode = 0; mode < host::kCpuModes; ++mode) {
    list.point({{"cpu.mode", std::string(host::kCpuModeNames[mode])}},
               static_cast<double>(reading.cpu_ticks[mode]) / ticks_per_second);
  }
  if (reading.cpu_shares) {
    list.family(kGauge, "system.cpu.utilization", "1",
                "Share of the CPU time since the last sample, by what it went to");
    for (std::size_t mode = 0; mode < host::kCpuModes; ++mode) {
      list.point({{"cpu.mode", std::string(host::kCpuModeNames[mode])}},
                 rounded_share(reading.cpu_shares->share[mode]));
    }
    list.family(kGauge, "system_cpu_usage", "", "CPU in use, percent of all CPUs");
    list.point({}, rounded_percent(reading.cpu_shares->busy_percent));
  }
  list.family(kUpDown, "system.cpu.logical.count", "{cpu}", "CPUs that are online");
  list.point({}, reading.stat->logical_count);
}

void add_memory(FamilyList& list, const host::HostReading& reading) {
  if (!reading.memory) return;
  const host::MemoryReading& memory = *reading.memory;
  const std::pair<const char*, std::uint64_t> states[] = {{"used", memory.used()},
                                                          {"free", memory.free},
                                                          {"buffers", memory.buffers},
                                                          {"cached", memory.cached}};
  list.family(kUpDown, "system.memory.usage", "By", "Memory by state");
  for (const auto& [state, bytes] : states) list.point({{"system.memory.state", state}}, bytes);
  list.family(kGauge, "system.memory.utilization", "1", "Share of all memory, by state");
  for (const auto& [state, bytes] : states) {
    list.point({{"system.memory.state", state}}, rounded_share(ratio(bytes, memory.total)));
  }
  list.family(kUpDown, "system.memory.limit", "By", "All memory");
  list.point({}, memory.total);
  list.family(kUpDown, "system.memory.linux.available", "By",
              "Memory that programs can take without swapping");
  list.point({}, memory.available);
  list.family(kGauge, "system_memory_usage_percent", "", "Memory in use, percent");
  list.point({}, rounded_percent(ratio(memory.used(), memory.total) * 100));
}

void add_swaps(FamilyList& list, const host::HostReading& reading) {
  list.family(kUpDown, "system.paging.usage", "By", "Swap by state");
  for (const host::SwapDevice& swap : reading.swaps) {
    list.point({{"system.device", swap.device}, {"system.paging.state", "used"}}, swap.used);
    list.point({{"system.device", swap.device}, {"system.paging.state", "free"}},
               swap.total - swap.used);
  }
  list.family(kGauge, "system.paging.utilization", "1", "Share of the swap area, by state");
  for (const host::SwapDevice& swap : reading.swaps) {
    const double used = ratio(swap.used, swap.total);
    list.point({{"system.device", swap.device}, {"system.paging.state", "used"}},
               rounded_share(used));
    list.point({{"system.device", swap.device}, {"system.paging.state", "free"}},
               rounded_share(1 - used));
  }
}

void add_paging(FamilyList& list, const host::HostReading& reading) {
  add_swaps(list, reading);
  const host::PagingCounters& paging = reading.paging;
  list.family(kCounter, "system.paging.faults", "{fault}", "Page faults");
  // Two lines of a file that changes while it is read: a difference below nought would wrap.
  if (paging.faults && paging.major_faults && *paging.faults >= *paging.major_faults) {
    list.point({{"system.paging.fault.type", "major"}}, *paging.major_faults);
    list.point({{"system.paging.fault.type", "minor"}}, *paging.faults - *paging.major_faults);
  }
  list.family(kCounter, "system.paging.operations", "{operation}", "Pages swapped in and out");
  if (paging.swapped_in && paging.swapped_out) {
    list.point({{"system.paging.direction", "in"}, {"system.paging.fault.type", "major"}},
               *paging.swapped_in);
    list.point({{"system.paging.direction", "out"}, {"system.paging.fault.type", "major"}},
               *paging.swapped_out);
  }
}

host::PointAttributes disk_direction(const host::DiskCounters& disk, const char* direction) {
  return {{"disk.io.direction", direction}, {"system.device", disk.name}};
}

double seconds(std::uint64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

void add_disks(FamilyList& list, const host::HostReading& reading) {
  list.family(kCounter, "system.disk.io", "By", "Bytes read and written");
  for (const host::DiskCounters& disk : reading.disks) {
    list.point(disk_direction(disk, "read"), disk.read.bytes);
    list.point(disk_direction(disk, "write"), disk.write.bytes);
  }
  list.family(kCounter, "system.disk.operations", "{operation}", "Reads and writes");
  for (const host::DiskCounters& disk : reading.disks) {
    list.point(disk_direction(disk, "read"), disk.read.operations);
    list.point(disk_direction(disk, "write"), disk.write.operations);
  }
  list.family(kCounter, "system.disk.io_time", "s", "Time with work in flight");
  for (const host::DiskCounters& disk : reading.disks) {
    if (disk.has_times) list.point({{"system.device", disk.name}}, seconds(disk.busy_ms));
  }
  list.family(kCounter, "system.disk.operation_time", "s", "Time of all operations together");
  for (const host::DiskCounters& disk : reading.disks) {
    if (!disk.has_times) continue;
    list.point(disk_direction(disk, "read"), seconds(disk.read.time_ms));
    list.point(disk_direction(disk, "write"), seconds(disk.write.time_ms));
  }
  list.family(kCounter, "system.disk.merged", "{operation}", "Operations merged into others");
  for (const host::DiskCounters& disk : reading.disks) {
    if (!disk.has_times) continue;
    list.point(disk_direction(disk, "read"), disk.read.merged);
    list.point(disk_direction(disk, "write"), disk.write.merged);
  }
}

host::PointAttributes mount_attributes(const host::Mount& mount) {
  host::PointAttributes attributes = {{"system.device", mount.source},
                                      {"system.filesystem.mode", mount.mode},
                                      {"system.filesystem.mountpoint", mount.mount_point},
                                      {"system.filesystem.type", mount.type}};
  if (!mount.kind.empty()) attributes.emplace_back("vigia.mount.kind", mount.kind);
  return attributes;
}

host::PointAttributes mount_state(const host::Mount& mount, const char* state) {
  host::PointAttributes attributes = mount_attributes(mount);
  attributes.emplace_back("system.filesystem.state", state);
  return attributes;
}

void add_filesystems(FamilyList& list, const host::HostReading& reading) {
  list.family(kUpDown, "system.filesystem.usage", "By", "Space of the file system, by state");
  for (const auto& [mount, space] : reading.filesystems) {
    list.point(mount_state(mount, "used"), space.used);
    list.point(mount_state(mount, "free"), space.free);
    list.point(mount_state(mount, "reserved"), space.reserved);
  }
  list.family(kGauge, "system.filesystem.utilization", "1",
              "Share in use of the space that is not reserved");
  for (const auto& [mount, space] : reading.filesystems) {
    list.point(mount_state(mount, "used"),
               rounded_share(ratio(space.used, space.used + space.free)));
  }
  list.family(kUpDown, "system.filesystem.limit", "By", "Size of the file system");
  for (const auto& [mount, space] : reading.filesystems) {
    list.point(mount_attributes(mount), space.limit());
  }
}

void add_interface_family(FamilyList& list, const host::HostReading& reading,
                          std::uint64_t host::NetworkDirection::* value) {
  for (const host::InterfaceCounters& interface : reading.interfaces) {
    list.point({{"network.interface.name", interface.name}, {"network.io.direction", "receive"}},
               interface.receive.*value);
    list.point({{"network.interface.name", interface.name}, {"network.io.direction", "transmit"}},
               interface.transmit.*value);
  }
}

void add_connections(FamilyList& list, const host::HostReading& reading) {
  list.family(kUpDown, "system.network.connection.count", "{connection}", "TCP sockets by state");
  const auto add = [&](std::string_view state, std::uint64_t count) {
    list.point({{"network.connection.state", std::string(state)}, {"network.transport", "tcp"}},
               count);
  };
  if (reading.tcp_states) {
    for (std::size_t state = 0; state < host::kTcpStates; ++state) {
      add(host::kTcpStateNames[state], (*reading.tcp_states)[state]);
    }
    return;
  }
  if (reading.tcp_established) add("established", *reading.tcp_established);
  if (reading.tcp_time_wait) add("time_wait", *reading.tcp_time_wait);
}

void add_network(FamilyList& list, const host::HostReading& reading) {
  list.family(kCounter, "system.network.io", "By", "Bytes received and transmitted");
  add_interface_family(list, reading, &host::NetworkDirection::bytes);
  list.family(kCounter, "system.network.packet.count", "{packet}", "Packets");
  add_interface_family(list, reading, &host::NetworkDirection::packets);
  list.family(kCounter, "system.network.errors", "{error}", "Packets with errors");
  add_interface_family(list, reading, &host::NetworkDirection::errors);
  list.family(kCounter, "system.network.packet.dropped", "{packet}", "Packets dropped");
  add_interface_family(list, reading, &host::NetworkDirection::dropped);
  add_connections(list, reading);
}

void add_small(FamilyList& list, const host::HostReading& reading) {
  if (reading.load) {
    const std::pair<std::string_view, double> averages[] = {
        {"system.cpu.load_average.1m", reading.load->one_minute},
        {"system.cpu.load_average.5m", reading.load->five_minutes},
        {"system.cpu.load_average.15m", reading.load->fifteen_minutes}};
    for (const auto& [name, value] : averages) {
      list.family(kGauge, name, "{thread}", "Threads that run or wait, average of the time");
      list.point({}, value);
    }
  }
  if (reading.uptime_s) {
    list.family(kGauge, "system.uptime", "s", "Time since the host started");
    list.point({}, *reading.uptime_s);
  }
  if (reading.processes) {
    list.family(kUpDown, "system.process.count", "{process}", "Processes");
    list.point({}, *reading.processes);
  }
  if (reading.stat && reading.stat->created) {
    list.family(kCounter, "system.process.created", "{process}", "Processes and threads made");
    list.point({}, *reading.stat->created);
  }
}

}  // namespace

std::vector<host::MetricFamily> host_families(const host::HostReading& reading,
                                              std::int64_t started_ns) {
  const bool has_boot = reading.stat && reading.stat->boot_s && *reading.stat->boot_s > 0 &&
                        *reading.stat->boot_s < kBootSecondsMax;
  // The kernel's counters began with the host, not with the agent: a restart of ours is no reset.
  FamilyList list(has_boot ? *reading.stat->boot_s * kNsPerSecond : started_ns);
  add_cpu(list, reading);
  add_memory(list, reading);
  add_paging(list, reading);
  add_disks(list, reading);
  add_filesystems(list, reading);
  add_network(list, reading);
  add_small(list, reading);
  return list.take();
}

}  // namespace vigia::agent::telemetry
