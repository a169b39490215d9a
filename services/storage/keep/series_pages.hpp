// A customer's series, some hundred at a time, for whoever walks over all of them.
#pragma once

#include <functional>
#include <vector>

#include "services/storage/store/catalog.hpp"
#include "services/storage/store/series.hpp"

namespace vigia::storage::keep {

using SeriesPage = std::vector<store::FoundSeries>;

/// An error ends the walk.
using SeriesPageVisit = std::function<Result<void>(const SeriesPage& page)>;
/// Each of the customer's series that may have samples on one of the days. The catalog's error, or
/// `visit`'s.
Result<void> each_page(const store::Catalog& catalog, const CustomerId& customer,
                       const store::DayRange& days, const SeriesPageVisit& visit);
/// As a store of chunks asks for them, in the page's order.
std::vector<store::SeriesKey> keys_of(const SeriesPage& page);
/// From the first to the last day on which a series may have samples; kNoDays where there is no
/// series. Takes some thirty searches.
Result<store::DayRange> days_with_series(const store::Catalog& catalog, const CustomerId& customer);

/// The times of a day, both included; what lies before 1970 is of the first one.
TimestampMs first_ms_of(std::uint32_t day);
TimestampMs last_ms_of(std::uint32_t day);

}  // namespace vigia::storage::keep
