// Disk traffic of the host, from /proc/diskstats.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigia::agent::host {

struct DiskDirection {
  std::uint64_t operations = 0;
  std::uint64_t merged = 0;
  std::uint64_t bytes = 0;
  std::uint64_t time_ms = 0;  ///< of all operations together
};

/// Counters of one block device since it appeared.
struct DiskCounters {
  std::string name;  ///< "sda", "cciss/c0d0"
  DiskDirection read;
  DiskDirection write;
  std::uint64_t busy_ms = 0;  ///< wall time with at least one operation in flight
  bool has_times = true;      ///< false for the short lines that old kernels give for partitions
};

/// Lines that hold no counters are passed over.
std::vector<DiskCounters> parse_diskstats(std::string_view text);

/// Leaves whole devices that have moved data: partitions would count everything twice, loop and ram
/// devices are no disks. `is_whole` says of a name whether it is a device of its own.
std::vector<DiskCounters> select_disks(std::vector<DiskCounters> disks,
                                       const std::function<bool(const std::string&)>& is_whole);

/// The kernel prints times in 32 bits, which are full after 49.7 days of work: this counts the
/// rounds. One thread.
class DiskTimeUnwrapper {
 public:
  /// Puts the rounds onto the three times of each disk. What is not mentioned is forgotten.
  void unwrap(std::vector<DiskCounters>& disks);

 private:
  struct State {
    std::uint64_t last = 0;
    std::uint64_t rounds = 0;
  };
  struct DiskState {
    State read, write, busy;
  };
  static std::uint64_t unwrap_one(State& state, std::uint64_t value);
  std::map<std::string, DiskState> states_;
};

}  // namespace vigia::agent::host
