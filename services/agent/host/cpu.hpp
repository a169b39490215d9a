// CPU time of the host, from /proc/stat.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::agent::host {

/// What a CPU did. The kernel counts time of guests inside user and nice as well; here each tick
/// stands in one mode only, so that the modes add up to all of the time.
enum class CpuMode : std::uint8_t {
  kUser,
  kNice,
  kSystem,
  kIdle,
  kIowait,
  kInterrupt,  ///< hard and soft ones
  kSteal,
  kGuest,
};
inline constexpr std::size_t kCpuModes = 8;
/// Values of `cpu.mode` (R-SC-1), in the order of CpuMode; "guest" is ours.
inline constexpr std::array<std::string_view, kCpuModes> kCpuModeNames = {
    "user", "nice", "system", "idle", "iowait", "interrupt", "steal", "guest"};

/// Of all CPUs together, in ticks since the host started.
using CpuTicks = std::array<std::uint64_t, kCpuModes>;

struct StatFile {
  CpuTicks ticks{};
  std::uint64_t logical_count = 0;       ///< CPUs that are online now
  std::optional<std::int64_t> boot_s;    ///< when the host started, seconds since 1970
  std::optional<std::uint64_t> created;  ///< processes and threads made since then
};

/// kCorrupt where the line of all CPUs is missing or holds no numbers. Columns that an old kernel
/// lacks are 0.
Result<StatFile> parse_stat(std::string_view text);

struct CpuShares {
  std::array<double, kCpuModes> share{};  ///< 0 to 1 each, together 1
  double busy_percent = 0;                ///< 0 to 100: all but idle and iowait
};

/// Turns ticks into shares of the time between two readings, and keeps each mode from falling by
/// the little that kernels let idle and iowait fall. One thread.
class CpuUsage {
 public:
  /// Nothing at the first reading, and where no time has passed.
  std::optional<CpuShares> update(CpuTicks ticks);
  /// The ticks of the last update, steadied.
  const CpuTicks& ticks() const { return last_; }

 private:
  CpuTicks last_{};
  bool has_last_ = false;
};

}  // namespace vigia::agent::host
