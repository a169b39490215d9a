#include "libs/series/active_series.hpp"

#include <algorithm>
#include <limits>

namespace vigia::series {
namespace {

constexpr unsigned kWeightBits = 16;
constexpr std::size_t kFirstSlots = 64;

/// Never 0 with its weight added, which is an empty slot.
std::uint64_t upper(std::uint64_t hash) {
  const std::uint64_t bits = hash >> kWeightBits << kWeightBits;
  return bits == 0 ? std::uint64_t{1} << kWeightBits : bits;
}
std::uint64_t hash_of(const SeriesKey& point) {
  return point.low * 0x9e3779b97f4a7c15ULL + point.high;
}
std::uint16_t weight_of(std::uint64_t slot) { return static_cast<std::uint16_t>(slot); }

}  // namespace

std::size_t WeightedHashes::slot_of(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = (hash >> kWeightBits) & mask;
  // 48 bits of a keyed hash stand for the key: among half a million a new one meets another by a
  // chance of 2 in 10^9, and then one series is counted too few.
  while (slots_[slot] != 0 && upper(slots_[slot]) != upper(hash)) slot = (slot + 1) & mask;
  return slot;
}

std::uint16_t WeightedHashes::find(std::uint64_t hash) const {
  return slots_.empty() ? std::uint16_t{0} : weight_of(slots_[slot_of(upper(hash))]);
}

void WeightedHashes::insert(std::uint64_t hash, std::uint16_t weight) {
  if ((used_ + 1) * 2 > slots_.size()) grow();
  std::uint64_t& slot = slots_[slot_of(upper(hash))];
  if (slot == 0) ++used_;
  slot = upper(hash) | weight;
}

void WeightedHashes::erase(std::uint64_t hash) {
  if (slots_.empty()) return;
  std::uint64_t& slot = slots_[slot_of(upper(hash))];
  // Weight 0 keeps the place taken, so that probes go on past it; grow leaves such places out.
  if (slot != 0) slot = upper(slot);
}

void WeightedHashes::grow() {
  const auto left = static_cast<std::size_t>(std::count_if(
      slots_.begin(), slots_.end(), [](std::uint64_t slot) { return weight_of(slot) > 0; }));
  std::size_t size = kFirstSlots;
  while (size < 4 * (left + 1)) size *= 2;
  std::vector<std::uint64_t> old(size);
  old.swap(slots_);
  used_ = 0;
  for (const std::uint64_t slot : old) {
    if (weight_of(slot) > 0) insert(slot, weight_of(slot));
  }
}

void ActiveSeries::enter(const SeriesKey& point, std::uint32_t weight) {
  // Nearly always nothing has been put out, and a new series costs no lock.
  cached_ += weight;
  if (put_out_ == 0) return;
  const std::lock_guard lock(mutex_);
  for (Generation* generation : {&young_, &old_}) {
    const std::uint16_t was = generation->points.find(hash_of(point));
    if (was == 0) continue;
    generation->points.erase(hash_of(point));
    generation->weight -= was;
    put_out_ -= was;
  }
}

void ActiveSeries::put_out(const SeriesKey& point, std::uint32_t weight, std::uint32_t now_s) {
  cached_ -= weight;
  if (weight == 0 || kept_s_ == 0 || !is_limited_) return;
  const std::lock_guard lock(mutex_);
  turn(now_s);
  // Without room the series is forgotten: the customer is counted too low, never refused for it.
  if (young_.points.size() >= kPutOutMax || room_.bytes >= room_.bytes_max) return;
  const auto kept = static_cast<std::uint16_t>(
      std::min<std::uint32_t>(weight, std::numeric_limits<std::uint16_t>::max()));
  const std::uint64_t before = young_.points.bytes();
  const std::int64_t added = std::int64_t{kept} - young_.points.find(hash_of(point));
  young_.points.insert(hash_of(point), kept);
  count_bytes(before, young_.points.bytes());
  young_.weight += added;
  put_out_ += added;
}

bool ActiveSeries::was_put_out(const SeriesKey& point, std::uint32_t now_s) {
  if (put_out_ == 0) return false;
  const std::lock_guard lock(mutex_);
  turn(now_s);
  return young_.points.find(hash_of(point)) > 0 || old_.points.find(hash_of(point)) > 0;
}

/// REQUIRES: mutex_ is held.
void ActiveSeries::turn(std::uint32_t now_s) {
  if (now_s < turned_s_ + kept_s_) return;
  drop(old_);
  if (now_s < turned_s_ + 2 * kept_s_)
    std::swap(old_, young_);
  else
    drop(young_);
  turned_s_ = now_s;
}

void ActiveSeries::count_bytes(std::uint64_t before, std::uint64_t after) {
  cache_bytes_ += after - before;
  room_.bytes += after - before;
}

void ActiveSeries::drop(Generation& generation) {
  put_out_ -= generation.weight;
  count_bytes(generation.points.bytes(), 0);
  generation = Generation{};
}

void ActiveSeries::forget() {
  drop(old_);
  drop(young_);
}

}  // namespace vigia::series
