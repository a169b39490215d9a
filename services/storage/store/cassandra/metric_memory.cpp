#include "services/storage/store/cassandra/metric_memory.hpp"

#include <algorithm>

namespace vigia::storage::store::cassandra {
namespace {

// A node of the map, its share of the buckets, and what the allocator adds.
constexpr std::size_t kEntryBytes = 48;
// A text twice, in the list and as the map's key.
constexpr std::size_t kTextBytes = 160;

}  // namespace

MetricMemory::MetricMemory(std::size_t bytes_max) : bytes_max_(bytes_max) {}

std::optional<std::string> MetricMemory::find(std::uint32_t owner, SeriesId series) const {
  const auto at = entries_.find(series.value);
  if (at == entries_.end() || at->second.owner != owner) return std::nullopt;
  return texts_[at->second.metric];
}

void MetricMemory::insert(std::uint32_t owner, SeriesId series, const std::string& metric) {
  if (memory_bytes() + kEntryBytes > bytes_max_) make_room();
  const auto [place, is_new] =
      places_.try_emplace(metric, static_cast<std::uint32_t>(texts_.size()));
  if (is_new) {
    texts_.push_back(metric);
    text_bytes_ += kTextBytes + 2 * metric.size();
  }
  entries_[series.value] = {owner, place->second};
}

void MetricMemory::forget(SeriesId series) { entries_.erase(series.value); }

void MetricMemory::set_bytes_max(std::size_t bytes_max) {
  bytes_max_ = bytes_max;
  while (memory_bytes() > bytes_max_ && !texts_.empty()) make_room();
}

std::size_t MetricMemory::memory_bytes() const {
  return entries_.size() * kEntryBytes + text_bytes_;
}

// Texts have no owner: where they are what takes the room, all of it is begun anew.
void MetricMemory::make_room() {
  std::unordered_map<std::uint32_t, std::size_t> held;
  for (const auto& [series, entry] : entries_) ++held[entry.owner];
  const auto most = std::max_element(
      held.begin(), held.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == held.end() || text_bytes_ > bytes_max_ / 2) {
    entries_.clear();
    places_.clear();
    texts_.clear();
    text_bytes_ = 0;
    return;
  }
  const std::uint32_t owner = most->first;
  std::erase_if(entries_, [owner](const auto& entry) { return entry.second.owner == owner; });
}

}  // namespace vigia::storage::store::cassandra
