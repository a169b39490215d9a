// What is done with an SQLite file as a file: checked, copied, put back.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::monitor::store {

/// SQLite's whole check: pages, rows, and that each index holds what its table holds. kCorrupt with
/// the first finding; a file that is not there or empty is sound.
Result<void> check_sqlite_file(const std::string& path);

/// Copies by SQLite's online backup, while others read and write, into the next
/// FOLDER/monitor-NNNNNN.db, checked and synced; of more than `kept` copies the oldest go. Gives
/// the copy's path.
Result<std::string> back_up_sqlite(const std::string& path, const std::string& folder,
                                   std::size_t kept);

/// The copies in a folder, oldest first.
std::vector<std::filesystem::path> list_backups(const std::string& folder);

/// Puts a copy in the place of a database that nobody has open. What stood there is moved to
/// ASIDE/, journals too. kCorrupt where the copy is not sound, and then nothing is touched.
Result<void> put_back_sqlite(const std::string& copy, const std::string& path,
                             const std::string& aside);

}  // namespace vigia::monitor::store
