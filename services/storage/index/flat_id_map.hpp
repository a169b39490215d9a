// 128-bit hash → series number, in one flat array: the memory that a known series costs here is the
// slot alone.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "services/storage/chunks/chunk_store.hpp"

namespace vigia::storage {

/// Hash of a customer's number and a series' labels under the store's secret seed. Keys are random,
/// so equal keys mean equal labels.
struct LabelsHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const LabelsHash&) const = default;
};

/// Open addressing, linear probing, never more than three quarters full. Thread contract: one
/// thread at a time.
class FlatIdMap {
 public:
  std::optional<SeriesId> find(const LabelsHash& hash) const;
  /// REQUIRES: id.value != 0.
  void insert(const LabelsHash& hash, SeriesId id);
  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }
  void clear();

 private:
  struct Slot {
    LabelsHash hash;
    std::uint64_t id = 0;  // 0: free
  };
  void grow();
  Slot& slot_of(const LabelsHash& hash);

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace vigia::storage
