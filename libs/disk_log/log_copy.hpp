// A copy of a log that is in use, for a copy of what it belongs to.
#pragma once

#include <string>

#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"

namespace vigia::disk_log {

/// Copies the log of the folder `from`, which a process may hold and append to, into the new folder
/// `to` on the same file system: every record that was durable before the call, and what some
/// cursor of it has not passed. Segments that are closed are linked, since nobody writes to them
/// any more; the newest is copied up to its last whole record. On disk when it returns. Where there
/// is no log the folder is made and empty. kUnavailable where the disk refuses, or while segments
/// go faster than they are linked.
Result<void> copy_log(FileSystem& files, const std::string& from, const std::string& to);

}  // namespace vigia::disk_log
