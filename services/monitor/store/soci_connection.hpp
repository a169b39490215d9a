// One session with SQLite or PostgreSQL, by SOCI.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "services/monitor/store/database.hpp"
#include "services/monitor/store/schema.hpp"
#include "services/monitor/store/unreadable_rows.hpp"

namespace vigia::monitor::store {

/// The prefix of a PostgreSQL URL in the configuration.
inline constexpr std::string_view kPostgresqlPrefix = "postgresql://";

/// postgresql://USER[:PASSWORD]@HOST[:PORT]/NAME as key='value' pairs: SOCI reads those only. User
/// and password may hold percent escapes. kInvalid: not of that form.
Result<std::string> postgresql_connection_text(std::string_view url);

/// `target`: an SQLite file's path, or a PostgreSQL connection text. `unreadable` outlives it. A
/// statement that fails for a passing cause is kUnavailable, and on PostgreSQL the next one
/// connects anew. Used by one thread at a time. kUnavailable: cannot be opened.
Result<std::unique_ptr<DatabaseConnection>> open_connection(Dialect dialect,
                                                            const std::string& target,
                                                            UnreadableRows& unreadable);

}  // namespace vigia::monitor::store
