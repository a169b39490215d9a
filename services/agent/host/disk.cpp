#include "services/agent/host/disk.hpp"

#include <algorithm>
#include <array>

#include "libs/base/utf8.hpp"
#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::host {

namespace {

constexpr std::uint64_t kSectorBytes = 512;  // of /proc/diskstats, whatever the device's own is
constexpr std::size_t kFullLine = 11;
constexpr std::size_t kShortLine = 4;
constexpr std::uint64_t kRound = 1ULL << 32U;

std::optional<DiskCounters> parse_disk_line(std::string_view line) {
  WordReader words(line);
  words.next();  // major
  words.next();  // minor
  const auto name = words.next();
  if (!name) return std::nullopt;
  std::array<std::uint64_t, kFullLine> value{};
  std::size_t count = 0;
  while (count < value.size()) {
    const auto next = words.next_counter();
    if (!next) break;
    value[count++] = *next;
  }
  DiskCounters disk;
  disk.name = to_utf8(*name);
  // Partitions before Linux 2.6.25: reads, sectors read, writes, sectors written, and no times.
  if (count == kShortLine) {
    disk.read.operations = value[0];
    disk.read.bytes = multiply_saturating(value[1], kSectorBytes);
    disk.write.operations = value[2];
    disk.write.bytes = multiply_saturating(value[3], kSectorBytes);
    disk.has_times = false;
    return disk;
  }
  if (count < kFullLine) return std::nullopt;
  disk.read = {value[0], value[1], multiply_saturating(value[2], kSectorBytes), value[3]};
  disk.write = {value[4], value[5], multiply_saturating(value[6], kSectorBytes), value[7]};
  disk.busy_ms = value[9];
  return disk;
}

bool is_no_disk(const std::string& name) {
  constexpr std::array<std::string_view, 4> kPrefixes = {"loop", "ram", "fd", "sr"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
    return name.starts_with(prefix) && name.size() > prefix.size() && name[prefix.size()] >= '0' &&
           name[prefix.size()] <= '9';
  });
}

}  // namespace

std::vector<DiskCounters> parse_diskstats(std::string_view text) {
  std::vector<DiskCounters> disks;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    if (auto disk = parse_disk_line(*line)) disks.push_back(*std::move(disk));
  }
  return disks;
}

std::vector<DiskCounters> select_disks(std::vector<DiskCounters> disks,
                                       const std::function<bool(const std::string&)>& is_whole) {
  std::erase_if(disks, [&](const DiskCounters& disk) {
    // A host has dozens of devices that are only a name (loop, empty card readers): each would be
    // some ten series for ever.
    const bool has_worked = disk.read.operations > 0 || disk.write.operations > 0;
    return !has_worked || is_no_disk(disk.name) || !is_whole(disk.name);
  });
  return disks;
}

std::uint64_t DiskTimeUnwrapper::unwrap_one(State& state, std::uint64_t value) {
  // A fall from the upper to the lower half is a full round; any other fall is a counter that began
  // anew, which readers see as a reset.
  if (value < state.last) {
    const bool is_wrap = state.last < kRound && state.last >= kRound / 2 && value < kRound / 2;
    state.rounds = is_wrap ? state.rounds + 1 : 0;
  }
  state.last = value;
  return value + state.rounds * kRound;
}

void DiskTimeUnwrapper::unwrap(std::vector<DiskCounters>& disks) {
  // Built anew each round, so that devices that have gone are forgotten.
  std::map<std::string, DiskState> kept;
  for (DiskCounters& disk : disks) {
    DiskState& state = kept[disk.name];
    if (const auto known = states_.find(disk.name); known != states_.end()) state = known->second;
    disk.read.time_ms = unwrap_one(state.read, disk.read.time_ms);
    disk.write.time_ms = unwrap_one(state.write, disk.write.time_ms);
    disk.busy_ms = unwrap_one(state.busy, disk.busy_ms);
  }
  states_ = std::move(kept);
}

}  // namespace vigia::agent::host
