// Reads every record of a closed log and changes nothing: what lies in it, and what is damaged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"

namespace vigia::disk_log {

struct SegmentDamage {
  std::string file;
  std::string what;  ///< damaged passages, a lost end, the system's reason
};

struct LogCheck {
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;  ///< whole ones
  std::uint64_t items = 0;    ///< of these
  std::vector<SegmentDamage> damage;
  /// The last segment ends within a record: a kill leaves it so, and nobody was told that it is
  /// kept.
  bool is_torn = false;
};

/// kUnavailable where another process holds the folder, or a file cannot be read now; kNotFound
/// where there is no such folder.
Result<LogCheck> check_log(FileSystem& files, const std::string& directory);

}  // namespace vigia::disk_log
