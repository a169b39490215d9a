// Copies what a customer's metrics are said to be from one store into another.
#pragma once

#include "services/storage/keep/copy_counts.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::keep {

/// All of it, on disk when it returns; where the other store keeps none it is counted. What both
/// have is taken from the one that noted it on a later day: of one day the other store's stays.
/// Memory goes by a customer's metrics. Thread contract: one thread.
Result<CopyCounts> copy_metadata(store::ColdStore& from, store::ColdStore& to,
                                 const CustomerId& customer);

}  // namespace vigia::storage::keep
