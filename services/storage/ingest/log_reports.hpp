// What a person is told of a write-ahead log that cannot be read as a whole.
#pragma once

#include <string>

#include "libs/disk_log/disk_log.hpp"

namespace vigia::storage::ingest {

/// For the log's on_skip and on_cursors_lost: a line in the log of the program each.
void report_skip(const disk_log::SkippedPassage& skipped);
void report_cursors_lost(const std::string& path, const std::string& why);

}  // namespace vigia::storage::ingest
