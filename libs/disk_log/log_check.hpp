// Reads every record of a closed log and changes nothing: what lies in it, and what is damaged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/disk_log/disk_log.hpp"
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
  /// The last segment ends within a record, of which nothing but its end is missing: a kill leaves
  /// it so, and nobody was told that it is kept.
  bool is_torn = false;
};

/// Told of each whole record, in order; its error ends the walk.
using RecordVisit = std::function<Result<void>(const RecordHeader& header, std::string_view body)>;

/// kUnavailable where another process holds the folder, or a file cannot be read now; kNotFound
/// where there is no such folder; `visit`'s error.
Result<LogCheck> check_log(FileSystem& files, const std::string& directory,
                           const RecordVisit& visit = {});

}  // namespace vigia::disk_log
