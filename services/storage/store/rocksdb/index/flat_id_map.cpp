#include "services/storage/store/rocksdb/index/flat_id_map.hpp"

#include <algorithm>

#include "libs/base/check.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

constexpr std::size_t kSlotsMin = 64;
constexpr std::uint64_t kIdMost = UINT64_MAX >> 1U;  // more series than will ever be
constexpr std::size_t kSlotsMost = UINT32_MAX;       // by how a slot is found

// Full at three quarters; an eighth of all slots is free after a forgetting, so that the next one
// is far.
bool is_full(std::size_t size, std::size_t slots) { return size * 4 > slots * 3; }
std::size_t size_after_forgetting(std::size_t slots) { return slots / 8 * 5; }

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

// Where it is, or would be. REQUIRES: a free slot.
std::size_t FlatIdMap::slot_at(const LabelsHash& hash) const {
  // A multiplication in place of a remainder: the table may have any size, and the bound on memory
  // is met to the slot.
  std::size_t index = ((hash.low >> 32U) * slots_.size()) >> 32U;
  while (slots_[index].id != 0 && slots_[index].hash != hash) {
    if (++index == slots_.size()) index = 0;
  }
  return index;
}

std::optional<KnownSeries> FlatIdMap::find(const LabelsHash& hash) {
  if (slots_.empty()) return std::nullopt;
  Slot& slot = slots_[slot_at(hash)];
  if (slot.id == 0) return std::nullopt;
  if (slot.is_asked_for == 0) slot.is_asked_for = 1;
  return KnownSeries{store::SeriesId{slot.id}, {slot.first_day, slot.last_day}};
}

void FlatIdMap::insert(customers::CustomerNumber customer, const LabelsHash& hash,
                       const KnownSeries& known) {
  CHECK(known.id.value != 0 && known.id.value <= kIdMost);
  if (slots_.empty() || (slots_[slot_at(hash)].id == 0 && is_full(size_ + 1, slots_.size()))) {
    make_room();
  }
  Slot& slot = slots_[slot_at(hash)];
  if (slot.id == 0) ++size_;
  const bool is_same = slot.id == known.id.value;
  slot.hash = hash;
  slot.id = known.id.value & kIdMost;
  slot.customer = customer;
  // Who does not know the days must not take them from who did.
  if (is_same && known.days == kNoDays) return;
  const bool is_told = known.days.first <= known.days.last && known.days.first <= UINT16_MAX;
  slot.first_day = day16(is_told ? known.days.first : kNoDays.first);
  slot.last_day = day16(is_told ? known.days.last : kNoDays.last);
}

void FlatIdMap::make_room() {
  if (slots_.size() < slots_max_) {
    const std::size_t slots = std::max(kSlotsMin, slots_.size() * 2);
    return rebuild(std::min(slots, slots_max_), [](const Slot&) { return true; });
  }
  forget_some(size_after_forgetting(slots_.size()), slots_.size());
}

void FlatIdMap::set_bytes_max(std::size_t bytes_max) {
  slots_max_ = std::clamp(bytes_max / sizeof(Slot), kSlotsMin, kSlotsMost);
  if (slots_.size() > slots_max_) forget_some(size_after_forgetting(slots_max_), slots_max_);
}

FlatIdMap::Shares FlatIdMap::shares() const {
  Shares shares;
  for (const Slot& slot : slots_) {
    if (slot.id != 0) ++shares[slot.customer.value].held[slot.is_asked_for];
  }
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

void FlatIdMap::forget_some(std::size_t size_max, std::size_t slots) {
  Shares held = shares();
  choose(held, size_ - std::min(size_, size_max));
  rebuild(slots, [&](const Slot& slot) {
    return !held[slot.customer.value].drops(slot.is_asked_for != 0);
  });
  for (Slot& slot : slots_) slot.is_asked_for = 0;
}

/// Into a new table, since taking single entries out of an open one would need marks or moves. Both
/// are there for a moment.
void FlatIdMap::rebuild(std::size_t slots, const std::function<bool(const Slot&)>& is_kept) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  size_ = 0;
  for (const Slot& slot : old) {
    if (slot.id == 0 || !is_kept(slot)) continue;
    slots_[slot_at(slot.hash)] = slot;
    ++size_;
  }
}

void FlatIdMap::forget_days() {
  for (Slot& slot : slots_) {
    slot.first_day = day16(kNoDays.first);
    slot.last_day = day16(kNoDays.last);
  }
}

void FlatIdMap::forget_before(std::uint32_t day) {
  const auto is_over = [&](const Slot& slot) {
    return slot.id != 0 && slot.first_day <= slot.last_day && slot.last_day < day;
  };
  if (std::none_of(slots_.begin(), slots_.end(), is_over)) return;
  rebuild(slots_.size(), [&](const Slot& slot) { return !is_over(slot); });
}

void FlatIdMap::clear() {
  std::vector<Slot>().swap(slots_);
  size_ = 0;
}

}  // namespace vigia::storage::store::rocksdb::index
