// MemoryColdStore: its exemplars.
#include <bit>

#include "services/storage/store/day_range.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::store {

Result<void> MemoryColdStore::MemoryExemplars::put(const CustomerId& customer,
                                                   std::span<const NewExemplar> exemplars) {
  const std::lock_guard lock(mutex_);
  for (const NewExemplar& one : exemplars) {
    items_[{customer, one.series}].emplace(
        one.sample.timestamp_ms, std::bit_cast<std::uint64_t>(one.sample.value), one.label_bytes);
  }
  return {};
}

Result<std::vector<SeriesId>> MemoryColdStore::MemoryExemplars::having(
    const CustomerId& customer, std::span<const SeriesId> series, const ExemplarRange& range,
    const WorkLimit& limit) {
  std::vector<SeriesId> all;
  for (const SeriesId one : series) {
    bool has_some = false;
    const auto note = [&](const StoredExemplar&) { return !(has_some = true); };
    if (auto read = this->read(customer, one, range, note, limit); !read) return forward(read);
    if (has_some) all.push_back(one);
  }
  return all;
}

Result<void> MemoryColdStore::MemoryExemplars::read(const CustomerId& customer, SeriesId series,
                                                    const ExemplarRange& range, const Visit& visit,
                                                    const WorkLimit& limit) {
  std::set<Item> items;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = items_.find({customer, series}); found != items_.end())
      items = found->second;
  }
  for (const auto& [time_ms, bits, label_bytes] : items) {
    if (auto checked = limit.check(); !checked) return checked;
    if (time_ms < range.from_ms || time_ms > range.to_ms) continue;
    if (!visit({{time_ms, std::bit_cast<double>(bits)}, label_bytes})) break;
  }
  return {};
}

Result<std::size_t> MemoryColdStore::MemoryExemplars::expire(const ExpiryCuts& cuts) {
  const std::lock_guard lock(mutex_);
  std::set<std::uint32_t> days;
  for (auto& [place, items] : items_) {
    const TimestampMs before_ms = cuts.of(place.first);
    std::erase_if(items, [&](const Item& item) {
      const std::uint32_t day = day_of(std::get<0>(item));
      const bool is_over = (static_cast<TimestampMs>(day) + 1) * kDayMs <= before_ms;
      if (is_over) days.insert(day);
      return is_over;
    });
  }
  return days.size();
}

}  // namespace vigia::storage::store
