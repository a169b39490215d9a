// By what the marks and probes of one collector are told from another's.
#pragma once

#include <string>

#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"

namespace vigia::collector::marks {

struct CollectorId {
  std::string text;     ///< eight hex digits
  bool is_new = false;  ///< made now: there was none, or none that could be read
  int damaged = 0;      ///< files of the two that said something and not what was written
};

/// Random, made at the first call and kept in `<directory>/collector-id` and in a copy beside it,
/// each with a checksum (docs/formats/collector-id.md). A whole one wins and mends the other; of
/// two the first. Under another id a collector is another one to the routers, who wait a day for
/// the one they knew: so a new id, and damage, is said in the log.
/// kUnavailable where a file can be neither read nor written.
Result<CollectorId> collector_id(const std::string& directory,
                                 disk_log::FileSystem& files = disk_log::system_files());

}  // namespace vigia::collector::marks
