// schema.cql as the program reads it: what a keyspace begins with, and numbered steps that are run
// once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::storage::store::cassandra {

/// Where the tables lie.
struct SchemaSettings {
  std::string keyspace = "observability";  ///< [a-z][a-z0-9_]{0,47}
  std::string datacenter = "datacenter1";  ///< as the nodes' snitch calls it
  std::uint32_t replication_factor = 3;    ///< copies in that datacenter, 1 to 9
};
/// kInvalid, naming what cannot be so.
Result<void> check_schema_settings(const SchemaSettings& settings);

struct SchemaStep {
  std::int32_t version = 0;  ///< 1, 2, …
  std::string title;
  std::vector<std::string> statements;
  /// Of the statements before settings are put in: the same in every keyspace.
  std::string text_hash;
};

struct SchemaText {
  std::vector<std::string> base;  ///< the keyspace, and the tables that say which steps were done
  std::vector<SchemaStep> steps;  ///< in their order
};

/// services/storage/cassandra/schema.cql, which is built in.
std::string_view schema_cql();
/// Statements end with a semicolon at the end of a line, comments have lines of their own; "-- step
/// N: title" begins a step. kInvalid where steps are not counted from 1 on, a statement has no end,
/// or one may not be run twice. The settings have been checked.
Result<SchemaText> read_schema(std::string_view cql, const SchemaSettings& settings);

}  // namespace vigia::storage::store::cassandra
