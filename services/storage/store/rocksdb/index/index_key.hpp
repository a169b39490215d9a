// Keys of the index rows. Format: docs/formats/cold-store.md.
#pragma once

#include <string>
#include <string_view>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/flat_id_map.hpp"

namespace vigia::storage::store::rocksdb::index::index_key {

inline constexpr std::string_view kFormat = "m/format";
inline constexpr std::string_view kSeed = "m/seed";
inline constexpr std::string_view kNextSeries = "m/next_series";
/// The highest number that a customer was ever given: one who was taken out has no row that says
/// it.
inline constexpr std::string_view kLastCustomer = "m/last_customer";
/// "1": the store has lost rows and the index is to be made whole; "0": that was done once.
inline constexpr std::string_view kHeal = "m/heal";

std::string customer(std::string_view id);                   ///< → number
std::string customers();                                     ///< prefix of all customers
std::string hash(const LabelsHash& hash);                    ///< → series number
std::string all_series(customers::CustomerNumber customer);  ///< prefix of all series
/// Prefix of the series of one metric.
std::string metric(customers::CustomerNumber customer, std::string_view name);
/// → labels
std::string series(customers::CustomerNumber customer, std::string_view name, store::SeriesId id);
// Of kIdentity: a second copy of what a series' row cannot be made of again, its labels alone.
std::string all_copies(customers::CustomerNumber customer);
std::string copy(customers::CustomerNumber customer, store::SeriesId id);
std::string all_labels(customers::CustomerNumber customer);  ///< prefix of all label names
std::string label(customers::CustomerNumber customer,
                  std::string_view name);  ///< prefix of its values
std::string label_value(customers::CustomerNumber customer, std::string_view name,
                        std::string_view value);

}  // namespace vigia::storage::store::rocksdb::index::index_key
