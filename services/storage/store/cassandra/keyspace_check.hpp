// Whether the blocks of a keyspace can be read: each one's checksum, and all that is in it.
#pragma once

#include <functional>

#include "services/storage/store/cassandra/settings.hpp"
#include "services/storage/store/check_report.hpp"

namespace vigia::storage::store::cassandra {

/// Reads every block of chunks, of roll-ups and of the index of spans, at QUORUM, and changes
/// nothing; instances may run. A fault for each that cannot be read or decoded, or says another
/// thing than its row's columns; the first kFaultsMax of a table by name, the others as one.
/// `progress`: before each table, with how many are left. kUnavailable where the cluster does not
/// answer, kNotFound where there is no such keyspace. Thread contract: one thread.
Result<CheckReport> check_keyspace(
    const CassandraSettings& settings,
    const std::function<void(const std::string& table, std::size_t left)>& progress);

/// Likewise, of a session that is there already.
Result<CheckReport> check_keyspace_in(
    vigia::cassandra::Session& session, const std::string& keyspace,
    const std::function<void(const std::string& table, std::size_t left)>& progress);

inline constexpr std::size_t kFaultsMax = 1000;

}  // namespace vigia::storage::store::cassandra
