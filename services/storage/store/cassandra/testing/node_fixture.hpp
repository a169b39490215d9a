// A real cluster for tests: VIGIA_CASSANDRA names a node of it, of one that may be filled with
// keyspaces (tests/integration/test_cassandra.py starts it).
#pragma once

#include <memory>
#include <string>

#include "libs/cassandra/session.hpp"
#include "services/storage/store/cassandra/schema_text.hpp"

namespace vigia::storage::store::cassandra {

/// Null where VIGIA_CASSANDRA names no node.
std::unique_ptr<vigia::cassandra::Session> connected();
std::string fresh_keyspace();

/// One for the whole program, since tables take a node seconds.
struct SharedKeyspace {
  std::unique_ptr<vigia::cassandra::Session> session;
  SchemaSettings settings;
};
/// Migrated, and empty but for what says its version. Ends the program where there is no node.
SharedKeyspace& empty_keyspace();

}  // namespace vigia::storage::store::cassandra
