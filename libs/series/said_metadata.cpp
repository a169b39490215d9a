#include "libs/series/said_metadata.hpp"

#include "libs/wire/remote_write/metadata.hpp"

namespace vigia::series {
namespace {

const SaidMetadata* find(const MetadataTable& table, std::string_view family) {
  const auto found = table.find(family);
  return found == table.end() ? nullptr : found->second.get();
}

}  // namespace

const SaidMetadata* find_metadata(const MetadataTable& table, std::string_view metric) {
  if (const SaidMetadata* own = find(table, metric); own != nullptr) return own;
  // OpenMetrics calls a counter by its name without the suffix of its values.
  constexpr std::uint32_t kCounter = 1;
  constexpr std::string_view kTotal = "_total";
  if (metric.ends_with(kTotal)) {
    const SaidMetadata* counter = find(table, metric.substr(0, metric.size() - kTotal.size()));
    return counter != nullptr && counter->type == kCounter ? counter : nullptr;
  }
  for (const std::string_view suffix : {"_bucket", "_sum", "_count", "_gsum", "_gcount"}) {
    if (!metric.ends_with(suffix)) continue;
    const std::string_view family = metric.substr(0, metric.size() - suffix.size());
    const SaidMetadata* whole = find(table, family);
    const bool is_part =
        whole != nullptr && wire::remote_write::family_of(whole->type, metric) == family;
    return is_part ? whole : nullptr;
  }
  return nullptr;
}

}  // namespace vigia::series
