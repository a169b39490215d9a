// MemoryColdStore: what its metrics are said to be.
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::store {

Result<void> MemoryColdStore::MemoryMetadata::put(const CustomerId& customer,
                                                  std::span<const MetricMetadata> metrics) {
  const std::lock_guard lock(mutex_);
  for (const MetricMetadata& metric : metrics) customers_[customer][metric.metric] = metric;
  return {};
}

Result<void> MemoryColdStore::MemoryMetadata::read(const CustomerId& customer,
                                                   std::string_view metric, const Visit& visit,
                                                   const WorkLimit& limit) {
  std::map<std::string, MetricMetadata, std::less<>> all;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = customers_.find(customer); found != customers_.end())
      all = found->second;
  }
  for (const auto& [name, one] : all) {
    if (auto checked = limit.check(); !checked) return checked;
    if ((metric.empty() || metric == name) && !visit(one)) break;
  }
  return {};
}

Result<std::size_t> MemoryColdStore::MemoryMetadata::expire(const ExpiryCuts& cuts) {
  const std::lock_guard lock(mutex_);
  std::size_t forgotten = 0;
  for (auto& [customer, metrics] : customers_) {
    const TimestampMs before_ms = cuts.of(customer);
    forgotten += std::erase_if(metrics, [&](const auto& one) {
      return (static_cast<TimestampMs>(one.second.day) + 1) * kDayMs <= before_ms;
    });
  }
  return forgotten;
}

}  // namespace vigia::storage::store
