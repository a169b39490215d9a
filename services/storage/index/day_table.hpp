// On which days a series had samples, as far as its row in the store says so: in memory, so that a
// writer need not ask.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "services/storage/chunks/chunk_store.hpp"

namespace vigia::storage {

/// Days since 1970, both included.
struct DayRange {
  std::uint32_t first = 0;
  std::uint32_t last = UINT32_MAX;
  bool contains(const DayRange& other) const { return first <= other.first && other.last <= last; }
  bool overlaps(const DayRange& other) const { return first <= other.last && other.first <= last; }
  auto operator<=>(const DayRange&) const = default;
};
inline constexpr DayRange kAllDays;
inline constexpr DayRange kNoDays{1, 0};

/// Four bytes a series: numbers are given out one after the other. Thread contract: any thread.
class DayTable {
 public:
  DayTable();
  DayTable(const DayTable&) = delete;
  DayTable& operator=(const DayTable&) = delete;
  ~DayTable();

  /// kNoDays where nothing is known.
  DayRange find(SeriesId series) const;
  void set(SeriesId series, const DayRange& days);
  void forget_all();
  std::uint64_t memory_bytes() const { return blocks_made_ * sizeof(Block); }

 private:
  static constexpr std::size_t kBlockSeries = 1U << 16U;
  static constexpr std::size_t kBlocks = 1U << 16U;
  // First day in the upper half, last day in the lower; 0: nothing is known.
  using Block = std::array<std::atomic<std::uint32_t>, kBlockSeries>;

  std::unique_ptr<std::array<std::atomic<Block*>, kBlocks>> blocks_;  // freed by the destructor
  std::mutex make_mutex_;
  std::atomic<std::uint64_t> blocks_made_{0};
};

}  // namespace vigia::storage
