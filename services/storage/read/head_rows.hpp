// What is open of a series, as rows of the store: the same whoever reads them.
#pragma once

#include <vector>

#include "services/storage/heads/head_set.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::read {

/// Memory of a row while it is merged with others.
std::size_t memory_of(const store::ChunkRow& row);
/// The same of what `rows_of` makes of it, and its own.
std::size_t memory_of(const heads::HeadView& head);

/// Late ones have a version above all that are stored: what is stored came first.
std::vector<store::ChunkRow> rows_of(store::SeriesId series, heads::HeadView head);

}  // namespace vigia::storage::read
