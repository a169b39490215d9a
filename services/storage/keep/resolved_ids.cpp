#include "services/storage/keep/resolved_ids.hpp"

#include <vector>

#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::keep {

Result<IdsOfSeries> resolved_ids(store::Catalog& to, const CustomerId& customer,
                                 const SeriesPage& page, const DaysOfSeries& days) {
  const auto seed = to.seed_of(customer);
  if (!seed) return forward(seed);
  std::vector<store::NewSeries> unknown;
  std::vector<std::size_t> unknown_at;
  IdsOfSeries ids;
  for (const auto& [at, own] : days) {
    const auto hash = store::hash_labels(*seed, store::encode_labels(page[at].labels));
    const auto known = to.find(hash);
    if (known && known->days.contains(own)) {
      ids[at] = known->id;
      continue;
    }
    unknown.push_back({page[at].labels, hash, own, {}, false});
    unknown_at.push_back(at);
  }
  if (!unknown.empty()) {
    if (auto resolved = to.resolve(customer, unknown); !resolved) return forward(resolved);
  }
  for (std::size_t i = 0; i < unknown.size(); ++i) ids[unknown_at[i]] = unknown[i].id;
  return ids;
}

}  // namespace vigia::storage::keep
