#include "services/storage/keep/series_pages.hpp"

#include <utility>

namespace vigia::storage::keep {
namespace {

Result<bool> has_series(const store::Catalog& catalog, const CustomerId& customer,
                        const store::DayRange& days) {
  const store::LabelMatchers any;
  const store::SeriesQuery query{any, days};
  const store::WorkLimit unlimited;
  const auto page = catalog.select(customer, query, unlimited)->next();
  if (!page) return forward(page);
  return !page->empty();
}

}  // namespace

Result<void> each_page(const store::Catalog& catalog, const CustomerId& customer,
                       const store::DayRange& days, const SeriesPageVisit& visit) {
  const store::LabelMatchers any;
  const store::SeriesQuery query{any, days};
  const store::WorkLimit unlimited;
  const auto cursor = catalog.select(customer, query, unlimited);
  for (;;) {
    const auto page = cursor->next();
    if (!page) return forward(page);
    if (page->empty()) return {};
    if (auto visited = visit(*page); !visited) return visited;
  }
}

std::vector<store::SeriesKey> keys_of(const SeriesPage& page) {
  std::vector<store::SeriesKey> keys;
  keys.reserve(page.size());
  for (const store::FoundSeries& series : page) {
    keys.push_back({std::string(series.labels.metric_name()), series.id});
  }
  return keys;
}

// By halves, since a catalog tells of no day but by a search.
Result<store::DayRange> days_with_series(const store::Catalog& catalog,
                                         const CustomerId& customer) {
  const auto is_any = has_series(catalog, customer, store::kAllDays);
  if (!is_any) return forward(is_any);
  if (!*is_any) return store::kNoDays;
  store::DayRange found;
  std::uint32_t low = 0;
  std::uint32_t high = UINT32_MAX;
  while (low < high) {  // the first day up to which there is one
    const std::uint32_t middle = low + (high - low) / 2;
    const auto is_there = has_series(catalog, customer, {0, middle});
    if (!is_there) return forward(is_there);
    *is_there ? high = middle : low = middle + 1;
  }
  found.first = low;
  high = UINT32_MAX;
  while (low < high) {  // the last day from which on there is one
    const std::uint32_t middle = high - (high - low) / 2;
    const auto is_there = has_series(catalog, customer, {middle, UINT32_MAX});
    if (!is_there) return forward(is_there);
    *is_there ? low = middle : high = middle - 1;
  }
  found.last = low;
  return found;
}

TimestampMs first_ms_of(std::uint32_t day) {
  constexpr TimestampMs kLongAgo = INT64_MIN / 4;  // from which a store can still look back
  return day == 0 ? kLongAgo : TimestampMs{day} * store::kDayMs;
}

TimestampMs last_ms_of(std::uint32_t day) { return (TimestampMs{day} + 1) * store::kDayMs - 1; }

}  // namespace vigia::storage::keep
