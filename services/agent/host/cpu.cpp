#include "services/agent/host/cpu.hpp"

#include <algorithm>

#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::host {

namespace {

/// A fall by less is the kernel's imprecision (idle and iowait of sleeping CPUs are estimates); by
/// more it is another host or a counter that began anew. 3 s at 100 ticks a second.
constexpr std::uint64_t kJitterTicks = 300;

// Columns of a cpu line in the order of proc(5).
enum Column {
  kUserColumn,
  kNiceColumn,
  kSystemColumn,
  kIdleColumn,
  kIowaitColumn,
  kIrqColumn,
  kSoftirqColumn,
  kStealColumn,
  kGuestColumn,
  kGuestNiceColumn,
  kColumns
};

std::uint64_t minus(std::uint64_t left, std::uint64_t right) {
  return left > right ? left - right : 0;
}

std::optional<CpuTicks> parse_cpu_line(WordReader words) {
  std::array<std::uint64_t, kColumns> column{};
  std::size_t count = 0;
  while (count < column.size()) {
    const auto value = words.next_counter();
    if (!value) break;
    column[count++] = *value;
  }
  if (count <= kIdleColumn) return std::nullopt;
  CpuTicks ticks{};
  const auto set = [&](CpuMode mode, std::uint64_t value) {
    ticks[static_cast<std::size_t>(mode)] = value;
  };
  // The kernel counts a guest's time in user and in guest as well (proc(5)); told apart, the shares
  // add up to one.
  set(CpuMode::kUser, minus(column[kUserColumn], column[kGuestColumn]));
  set(CpuMode::kNice, minus(column[kNiceColumn], column[kGuestNiceColumn]));
  set(CpuMode::kSystem, column[kSystemColumn]);
  set(CpuMode::kIdle, column[kIdleColumn]);
  set(CpuMode::kIowait, column[kIowaitColumn]);
  set(CpuMode::kInterrupt, column[kIrqColumn] + column[kSoftirqColumn]);
  set(CpuMode::kSteal, column[kStealColumn]);
  set(CpuMode::kGuest, column[kGuestColumn] + column[kGuestNiceColumn]);
  return ticks;
}

}  // namespace

Result<StatFile> parse_stat(std::string_view text) {
  StatFile stat;
  bool has_total = false;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    WordReader words(*line);
    const auto key = words.next();
    if (!key) continue;
    if (*key == "cpu") {
      const auto ticks = parse_cpu_line(words);
      if (!ticks) return fail(ErrorCode::kCorrupt, "stat: the line of all CPUs is cut short");
      stat.ticks = *ticks;
      has_total = true;
    } else if (key->starts_with("cpu")) {
      ++stat.logical_count;
    } else if (*key == "btime") {
      const auto boot = words.next_counter();
      if (boot) stat.boot_s = to_signed_saturating(*boot);
    } else if (*key == "processes") {
      stat.created = words.next_counter();
    }
  }
  if (!has_total) return fail(ErrorCode::kCorrupt, "stat: no line of all CPUs");
  return stat;
}

std::optional<CpuShares> CpuUsage::update(CpuTicks ticks) {
  if (!has_last_) {
    has_last_ = true;
    last_ = ticks;
    return std::nullopt;
  }
  std::array<double, kCpuModes> passed{};
  double total = 0;
  for (std::size_t mode = 0; mode < kCpuModes; ++mode) {
    // Kept at its height: readers of a counter take any fall for a restart, and would count the
    // whole value anew.
    if (ticks[mode] < last_[mode] && last_[mode] - ticks[mode] <= kJitterTicks) {
      ticks[mode] = last_[mode];
    }
    passed[mode] = static_cast<double>(minus(ticks[mode], last_[mode]));
    total += passed[mode];
  }
  last_ = ticks;
  if (total <= 0) return std::nullopt;
  CpuShares shares;
  std::transform(passed.begin(), passed.end(), shares.share.begin(),
                 [&](double value) { return value / total; });
  const double idle = shares.share[static_cast<std::size_t>(CpuMode::kIdle)] +
                      shares.share[static_cast<std::size_t>(CpuMode::kIowait)];
  shares.busy_percent = std::clamp((1 - idle) * 100, 0.0, 100.0);
  return shares;
}

}  // namespace vigia::agent::host
