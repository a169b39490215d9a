// What a person does with the database while vigia-monitor is stopped: put a copy back, or confirm
// what is there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "services/monitor/settings.hpp"

namespace vigia::monitor {

/// "vigia-monitor restore --config FILE [--from COPY]" or "vigia-monitor accept --config FILE".
bool is_maintenance(int argument_count, char** arguments);
/// The two for --help.
std::string maintenance_help();
/// Does it and says on stdout what it did. Exit codes as those of the program: 2 for what a person
/// can mend.
int run_maintenance(int argument_count, char** arguments);

/// Puts `copy` (or "": the newest sound one) in the place of the SQLite database, then brings
/// customers and tokens to what was served last: what is missing is added, tokens that were revoked
/// since are revoked again. Gives what it did, in words.
Result<std::string> restore_database(const Settings& settings, const std::string& copy,
                                     std::int64_t now_ms);
/// Confirms the database as it is. kCorrupt where it is damaged.
Result<std::string> accept_database(const Settings& settings, std::int64_t now_ms);

/// Brings customers and tokens to those of a snapshot (docs/formats/kept-directory.md).
struct Reconciled {
  std::size_t customers_added = 0;
  std::size_t tokens_added = 0;
  std::size_t tokens_revoked = 0;
};
Result<Reconciled> reconcile(std::string_view document, std::int64_t now_ms,
                             store::DatabaseConnection& connection);

}  // namespace vigia::monitor
