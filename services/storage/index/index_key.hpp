// Keys of the index rows. Format: docs/formats/cold-store.md.
#pragma once

#include <string>
#include <string_view>

#include "services/storage/chunks/chunk_store.hpp"
#include "services/storage/index/flat_id_map.hpp"

namespace vigia::storage::index::index_key {

inline constexpr std::string_view kFormat = "m/format";
inline constexpr std::string_view kSeed = "m/seed";
inline constexpr std::string_view kNextSeries = "m/next_series";
/// "1": the store has lost rows and the index is to be made whole; "0": that was done once.
inline constexpr std::string_view kHeal = "m/heal";

std::string customer(std::string_view id);                ///< → number
std::string customers();                                  ///< prefix of all customers
std::string hash(const LabelsHash& hash);                 ///< → series number
std::string all_series(chunks::CustomerNumber customer);  ///< prefix of all series
/// Prefix of the series of one metric.
std::string metric(chunks::CustomerNumber customer, std::string_view name);
/// → labels
std::string series(chunks::CustomerNumber customer, std::string_view name, chunks::SeriesId id);
// Of kIdentity: a second copy of what a series' row cannot be made of again, its labels alone.
std::string all_copies(chunks::CustomerNumber customer);
std::string copy(chunks::CustomerNumber customer, chunks::SeriesId id);
std::string all_labels(chunks::CustomerNumber customer);  ///< prefix of all label names
std::string label(chunks::CustomerNumber customer,
                  std::string_view name);  ///< prefix of its values
std::string label_value(chunks::CustomerNumber customer, std::string_view name,
                        std::string_view value);

}  // namespace vigia::storage::index::index_key
