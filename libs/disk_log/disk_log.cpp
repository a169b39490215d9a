#include "libs/disk_log/disk_log.hpp"

#include <utility>

#include "libs/disk_log/file_disk_log.hpp"

namespace vigia::disk_log {

std::string_view to_string(DropReason reason) {
  switch (reason) {
    case DropReason::kTooOld:
      return "too_old";
    case DropReason::kCap:
      return "cap";
    case DropReason::kDamaged:
      return "damaged";
  }
  return "damaged";
}

Result<std::unique_ptr<DiskLog>> DiskLog::open(DiskLogSettings settings, const Clock& clock,
                                               DiskLogEvents events, FileSystem& files) {
  auto log = std::make_unique<FileDiskLog>(std::move(settings), clock, std::move(events), files);
  if (auto started = log->start(); !started) return forward(started);
  return log;
}

}  // namespace vigia::disk_log
