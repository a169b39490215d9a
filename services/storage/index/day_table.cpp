#include "services/storage/index/day_table.hpp"

#include <algorithm>

namespace vigia::storage {
namespace {

constexpr std::uint32_t kDayMax = UINT16_MAX;  // in the year 2149

}  // namespace

DayTable::DayTable() : blocks_(std::make_unique<std::array<std::atomic<Block*>, kBlocks>>()) {}

DayTable::~DayTable() {
  for (const auto& block : *blocks_) {
    const std::unique_ptr<Block> freed(block.load());
  }
}

DayRange DayTable::find(SeriesId series) const {
  const std::uint64_t at = series.value / kBlockSeries;
  const Block* block = at < kBlocks ? (*blocks_)[at].load(std::memory_order_acquire) : nullptr;
  if (block == nullptr) return kNoDays;
  const std::uint32_t days = (*block)[series.value % kBlockSeries];
  if (days == 0) return kNoDays;
  return {days >> 16U, days & kDayMax};
}

void DayTable::set(SeriesId series, const DayRange& days) {
  const std::uint64_t at = series.value / kBlockSeries;
  if (at >= kBlocks) return;  // asked of the store each time
  Block* block = (*blocks_)[at].load(std::memory_order_acquire);
  if (block == nullptr) {
    const std::lock_guard lock(make_mutex_);
    block = (*blocks_)[at].load();
    if (block == nullptr) {
      block = std::make_unique<Block>().release();
      (*blocks_)[at].store(block, std::memory_order_release);
      ++blocks_made_;
    }
  }
  const std::uint32_t first = std::min(days.first, kDayMax);
  const std::uint32_t last = std::min(days.last, kDayMax);
  (*block)[series.value % kBlockSeries] = days.first > days.last ? 0 : (first << 16U) | last;
}

void DayTable::forget_all() {
  for (auto& entry : *blocks_) {
    Block* block = entry.load(std::memory_order_acquire);
    if (block == nullptr) continue;
    for (auto& days : *block) days = 0;
  }
}

}  // namespace vigia::storage
