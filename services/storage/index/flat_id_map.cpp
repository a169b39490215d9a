#include "services/storage/index/flat_id_map.hpp"

#include "libs/base/check.hpp"

namespace vigia::storage {
namespace {

constexpr std::size_t kSlotsMin = 64;

}  // namespace

FlatIdMap::Slot& FlatIdMap::slot_of(const LabelsHash& hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t index = hash.low & mask;
  while (slots_[index].id != 0 && slots_[index].hash != hash) index = (index + 1) & mask;
  return slots_[index];
}

std::optional<SeriesId> FlatIdMap::find(const LabelsHash& hash) const {
  if (slots_.empty()) return std::nullopt;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t index = hash.low & mask; slots_[index].id != 0; index = (index + 1) & mask) {
    if (slots_[index].hash == hash) return SeriesId{slots_[index].id};
  }
  return std::nullopt;
}

void FlatIdMap::insert(const LabelsHash& hash, SeriesId id) {
  CHECK(id.value != 0);
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  Slot& slot = slot_of(hash);
  if (slot.id == 0) ++size_;
  slot = {hash, id.value};
}

void FlatIdMap::grow() {
  std::vector<Slot> old(slots_.empty() ? kSlotsMin : slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.id != 0) slot_of(slot.hash) = slot;
  }
}

void FlatIdMap::clear() {
  slots_ = {};
  size_ = 0;
}

}  // namespace vigia::storage
