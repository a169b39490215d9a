// A database as an earlier version of the program left it, for tests.
#pragma once

#include "services/monitor/store/database.hpp"

namespace vigia::monitor::store::testing {

/// Puts the pinned schema of that version (tests/golden/monitor/schema_vN.sql), without a row but
/// the version's and its history's, in the place of what is there. A new step of the schema changes
/// nothing here.
Result<void> put_old_schema(int version, DatabaseConnection& connection);

}  // namespace vigia::monitor::store::testing
