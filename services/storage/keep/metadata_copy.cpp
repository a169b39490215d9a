#include "services/storage/keep/metadata_copy.hpp"

#include <map>
#include <string>
#include <vector>

#include "services/storage/keep/while_it_passes.hpp"

namespace vigia::storage::keep {
namespace {

Result<CopyCounts> copy_once(store::MetadataStore& from, store::ColdStore& to,
                             const CustomerId& customer) {
  const store::WorkLimit unlimited;
  CopyCounts counts;
  std::map<std::string, std::uint32_t> days;  // of what is there
  if (to.metadata() != nullptr) {
    const auto note = [&](const store::MetricMetadata& metric) {
      days.emplace(metric.metric, metric.day);
      return true;
    };
    if (auto read = to.metadata()->read(customer, "", note, unlimited); !read) return forward(read);
  }
  std::vector<store::MetricMetadata> newer;
  const auto choose = [&](const store::MetricMetadata& metric) {
    const auto there = days.find(metric.metric);
    if (there == days.end() || there->second < metric.day) newer.push_back(metric);
    return true;
  };
  const std::uint64_t damaged = from.damaged();
  if (auto read = from.read(customer, "", choose, unlimited); !read) return forward(read);
  counts.damaged = from.damaged() - damaged;
  if (to.metadata() == nullptr) {
    counts.unkept_metadata = newer.size();
    return counts;
  }
  counts.metadata = newer.size();
  if (newer.empty()) return counts;
  if (auto put = to.metadata()->put(customer, newer); !put) return forward(put);
  if (auto synced = to.metadata()->sync(); !synced) return forward(synced);
  return counts;
}

}  // namespace

Result<CopyCounts> copy_metadata(store::ColdStore& from, store::ColdStore& to,
                                 const CustomerId& customer) {
  if (from.metadata() == nullptr) return CopyCounts();
  return while_it_passes("metadata", [&] { return copy_once(*from.metadata(), to, customer); });
}

}  // namespace vigia::storage::keep
