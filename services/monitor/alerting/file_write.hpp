// Replaces a file as a whole.
#pragma once

#include <string>

#include <sys/types.h>

#include "libs/base/result.hpp"

namespace vigia::monitor::alerting {

/// The content, or "" where the file is not there.
std::string read_file_or_empty(const std::string& path);

/// Writes beside, syncs and renames, so that a reader sees the old content or the new, never half.
/// Makes missing folders. kUnavailable, naming the path.
Result<void> replace_file(const std::string& path, const std::string& content, mode_t mode);

}  // namespace vigia::monitor::alerting
