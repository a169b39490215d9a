// The tables, as steps from one schema version to the next. A step that was released is never
// changed; a new one is added.
#pragma once

#include "libs/base/result.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::store {

enum class Dialect { kSqlite, kPostgresql };

/// Brings the schema to the newest version, inside the caller's transaction. kInvalid where it is
/// newer than this program knows.
Result<void> migrate(DatabaseConnection& connection, Dialect dialect);

/// The newest version that this program knows.
int newest_schema_version();

}  // namespace vigia::monitor::store
