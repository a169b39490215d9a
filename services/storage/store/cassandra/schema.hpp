// Brings a keyspace to the version that this program knows, and looks whether it may be used.
#pragma once

#include <cstdint>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/cassandra/session.hpp"
#include "services/storage/store/cassandra/schema_text.hpp"

namespace vigia::storage::store::cassandra {

/// Creates what is missing, step by step; of several instances one does it and the others wait, two
/// minutes at most. Right to be called again wherever it ended. kInvalid for settings that
/// check_schema_settings refuses; kCorrupt where the keyspace's steps are not those of this
/// program: a newer one made it (this one is to be replaced), or a step has changed. `instance`:
/// this one's number, that of no other one. Thread contract: one thread.
Result<void> migrate(vigia::cassandra::Session& session, const SchemaSettings& settings,
                     std::uint64_t instance, const Clock& clock);

/// Writes a row at QUORUM and reads it back: kInternal where another comes. kInvalid where the
/// keyspace has not the copies that the settings say: they could not be relied on.
Result<void> check_start(vigia::cassandra::Session& session, const SchemaSettings& settings,
                         std::uint64_t instance);

/// Steps that changed how events are kept.
inline constexpr std::int32_t kSpanIndexStep = 5;
inline constexpr std::int32_t kLogPartsStep = 6;
/// The first day of which every event was written as since that step: two after the day on which
/// the keyspace got it, as instances of the version before may have written meanwhile. 0: of all
/// days, where the keyspace was made with it. REQUIRES: the keyspace is migrated.
Result<std::uint32_t> events_whole_from(vigia::cassandra::Session& session,
                                        const std::string& keyspace, std::int32_t step);

}  // namespace vigia::storage::store::cassandra
