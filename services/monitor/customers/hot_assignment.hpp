// In which hot shards a customer lies, and since when.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "services/monitor/api/body.hpp"
#include "services/monitor/customers/customers.hpp"

namespace vigia::monitor::customers {

/// From a change of its shards on a customer's data still goes to the old ones for a while: a
/// collector hears of it with its next look at the directory. Until then, and some minutes more,
/// nobody takes the new shards to be whole: the long-term store answers.
inline constexpr auto kAssignmentSettles = std::chrono::minutes(5);

/// What a body says of them, made one: hot_shard is the first of hot_shards, and hot_shards is
/// empty where there is one. Notes at the body what cannot be: a shard that is not among `known`,
/// one that is named twice, both fields at once.
void settle_hot_shards(const std::vector<std::string>& known, api::BodyReader& body,
                       CustomerChange& change);

/// The change with the moment from which the new shards hold all of it; without its shards where
/// the customer lies there already, since an assignment that began anew would hide what they have.
CustomerChange assigned_anew(CustomerChange change, const CustomerRow& kept, std::int64_t now_ms);

}  // namespace vigia::monitor::customers
