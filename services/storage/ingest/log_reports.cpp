#include "services/storage/ingest/log_reports.hpp"

#include "libs/service/log.hpp"

namespace vigia::storage::ingest {

void report_skip(const disk_log::SkippedPassage& skipped) {
  service::log_error(
      "a passage of the write-ahead log cannot be read; the replay goes on behind it, the file is "
      "kept as .damaged",
      {{"file", skipped.path},
       {"from_byte", std::to_string(skipped.begin)},
       {"to_byte", std::to_string(skipped.end)},
       {"why", skipped.why}});
}

void report_cursors_lost(const std::string& path, const std::string& why) {
  service::log_error(
      "the file that says what of the write-ahead log is stored is damaged: all of it is replayed, "
      "which costs time and no data; look at the disk (docs/deployment.md, \"Damaged files\")",
      {{"file", path}, {"why", why}});
}

}  // namespace vigia::storage::ingest
