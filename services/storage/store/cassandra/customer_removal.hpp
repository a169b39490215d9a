// Takes a customer out of a keyspace, partition by partition, and reads all of it again to see.
#pragma once

#include <memory>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/instance/customer_removal.hpp"
#include "services/storage/store/cassandra/settings.hpp"

namespace vigia::storage::store::cassandra {

/// Deletes and reads at ALL: each node that has a copy has forgotten, and none is asked later what
/// another did not hear. kNotFound where there is no such keyspace. `series_claims` stays: hashes
/// that say whose an id is, not who has it.
Result<std::unique_ptr<instance::SharedRemoval>> open_removal(const CassandraSettings& settings,
                                                              const CustomerId& customer);

/// Likewise, of a session that is there already and outlives it.
Result<std::unique_ptr<instance::SharedRemoval>> removal_in(vigia::cassandra::Session& session,
                                                            const CassandraSettings& settings,
                                                            const CustomerId& customer);

}  // namespace vigia::storage::store::cassandra
