#include "services/storage/store/flat_id_map.hpp"

#include <algorithm>

#include "libs/base/check.hpp"

namespace vigia::storage::store {
namespace {

constexpr std::uint64_t kIdMost = UINT64_MAX >> 1U;  // more series than will ever be
// How boost's table lies in memory: groups of fifteen slots with a word of sixteen bytes, one slot
// in all kept free; two, four, eight … groups, filled to seven eighths.
constexpr std::size_t kGroupSlots = 15;
constexpr std::size_t kGroupBytes = kGroupSlots * 32 + 16;
constexpr std::size_t kGroupsMin = 4;

std::size_t bytes_of(std::size_t slots) { return (slots + 1) / kGroupSlots * kGroupBytes; }

/// How many entries the largest table has that fits. A little less than it takes: past that it
/// would grow where many were taken out before.
std::size_t size_within(std::size_t bytes_max) {
  std::size_t groups = kGroupsMin;
  while (groups <= SIZE_MAX / 4 / kGroupBytes && 2 * groups * kGroupBytes <= bytes_max) groups *= 2;
  return (groups * kGroupSlots - 1) / 8 * 7 / 62 * 60;
}
// An eighth is free after a forgetting, so that the next one is far.
std::size_t size_after_forgetting(std::size_t size_max) { return size_max / 8 * 7; }

std::uint16_t day16(std::uint32_t day) {
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(day, UINT16_MAX));
}

}  // namespace

struct FlatIdMap::Share {
  std::size_t held[2] = {0, 0};     // not asked for, asked for
  std::size_t to_drop[2] = {0, 0};  // of them
  std::size_t owed[2] = {0, 0};

  std::size_t all() const { return held[0] + held[1]; }
  // Evenly over the table, or its places would fill unevenly.
  bool drops(bool is_asked_for) {
    owed[is_asked_for] += to_drop[is_asked_for];
    if (owed[is_asked_for] < held[is_asked_for]) return false;
    owed[is_asked_for] -= held[is_asked_for];
    return true;
  }
};

FlatIdMap::FlatIdMap(std::size_t bytes_max) { set_bytes_max(bytes_max); }

std::size_t FlatIdMap::memory_bytes() const { return bytes_of(entries_.bucket_count()); }

std::optional<KnownSeries> FlatIdMap::find(const LabelsHash& hash) {
  const auto found = entries_.find(hash);
  if (found == entries_.end()) return std::nullopt;
  Entry& entry = found->second;
  if (entry.is_asked_for == 0) entry.is_asked_for = 1;
  return KnownSeries{SeriesId{entry.id}, {entry.first_day, entry.last_day}};
}

void FlatIdMap::insert(std::uint32_t owner, const LabelsHash& hash, const KnownSeries& known) {
  CHECK(known.id.value != 0 && known.id.value <= kIdMost);
  auto found = entries_.find(hash);
  if (found == entries_.end()) {
    if (entries_.size() >= size_max_) forget_some(size_after_forgetting(size_max_));
    found =
        entries_.emplace(hash, Entry{0, 0, owner, day16(kNoDays.first), day16(kNoDays.last)}).first;
  }
  Entry& entry = found->second;
  const bool is_same = entry.id == known.id.value;
  entry.id = known.id.value & kIdMost;
  entry.owner = owner;
  // Who does not know the days must not take them from who did.
  if (is_same && known.days == kNoDays) return;
  const bool is_told = known.days.first <= known.days.last && known.days.first <= UINT16_MAX;
  entry.first_day = day16(is_told ? known.days.first : kNoDays.first);
  entry.last_day = day16(is_told ? known.days.last : kNoDays.last);
}

void FlatIdMap::set_bytes_max(std::size_t bytes_max) {
  bytes_max_ = bytes_max;
  size_max_ = size_within(bytes_max);
  if (entries_.size() > size_max_) forget_some(size_after_forgetting(size_max_));
  // Also where little is left in a table that was large.
  if (memory_bytes() > bytes_max_) entries_.rehash(0);
}

FlatIdMap::Shares FlatIdMap::shares() const {
  Shares shares;
  for (const auto& [hash, entry] : entries_) ++shares[entry.owner].held[entry.is_asked_for];
  return shares;
}

void FlatIdMap::choose(Shares& shares, std::size_t surplus) {
  std::vector<Share*> by_size;
  for (auto& [customer, share] : shares) by_size.push_back(&share);
  std::sort(by_size.begin(), by_size.end(),
            [](const Share* left, const Share* right) { return left->all() > right->all(); });
  // First what nobody has asked for since the last forgetting, and of it of whoever holds most: one
  // customer's flood of new series then pushes out its own.
  for (const bool is_asked_for : {false, true}) {
    for (Share* share : by_size) {
      const std::size_t dropped = std::min(surplus, share->held[is_asked_for]);
      share->to_drop[is_asked_for] = dropped;
      surplus -= dropped;
    }
  }
}

void FlatIdMap::forget_some(std::size_t size_max) {
  Shares held = shares();
  choose(held, entries_.size() - std::min(entries_.size(), size_max));
  boost::unordered::erase_if(entries_, [&](auto& known) {
    return held[known.second.owner].drops(known.second.is_asked_for != 0);
  });
  for (auto& [hash, entry] : entries_) entry.is_asked_for = 0;
}

void FlatIdMap::forget_days() {
  for (auto& [hash, entry] : entries_) {
    entry.first_day = day16(kNoDays.first);
    entry.last_day = day16(kNoDays.last);
  }
}

void FlatIdMap::forget_before(std::uint32_t day) {
  boost::unordered::erase_if(entries_, [day](const auto& known) {
    const Entry& entry = known.second;
    return entry.first_day <= entry.last_day && entry.last_day < day;
  });
}

void FlatIdMap::clear() { Entries().swap(entries_); }

}  // namespace vigia::storage::store
