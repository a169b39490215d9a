// Finding series: over one customer or, for the operator, over all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/storage/index/series_index.hpp"

namespace vigia::storage {

/// Whose series a request may see. Nothing: all customers' and `_provider`'s (operators).
using Fence = std::optional<CustomerId>;

/// The customers that a search inside the fence has to look at. An equality matcher on customer_id
/// narrows it to one, and to none where that one is outside the fence or unknown.
std::vector<Customer> customers_for(const SeriesIndex& index, const Fence& fence,
                                    const LabelMatchers& matchers);

/// The series that all matchers match, sorted by labels. kOverLimit past `limit`: never silently
/// fewer.
Result<std::vector<SelectedSeries>> select_series(const SeriesIndex& index, const Fence& fence,
                                                  const LabelMatchers& matchers, std::size_t limit);

}  // namespace vigia::storage
