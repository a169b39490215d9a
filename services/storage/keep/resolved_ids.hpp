// Ids of another store for the series of this one.
#pragma once

#include <cstddef>
#include <map>

#include "services/storage/keep/series_pages.hpp"
#include "services/storage/store/catalog.hpp"

namespace vigia::storage::keep {

/// By the place on the page: of which days a series has something.
using DaysOfSeries = std::map<std::size_t, store::DayRange>;
using IdsOfSeries = std::map<std::size_t, store::SeriesId>;

/// The ids that `to` has for these series of the page, new ones where it has none; its index leads
/// to them on these days, and on no more. The catalog's errors.
Result<IdsOfSeries> resolved_ids(store::Catalog& to, const CustomerId& customer,
                                 const SeriesPage& page, const DaysOfSeries& days);

}  // namespace vigia::storage::keep
