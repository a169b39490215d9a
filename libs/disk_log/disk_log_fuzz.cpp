// Bytes as a segment, or as the file of cursors: whatever they are, the log opens, a walk over them
// ends, and what it gives keeps its promises.
#include "libs/base/check.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/disk_log/record_format.hpp"
#include "libs/disk_log/testing/memory_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(data + 1, data + size);
  vigia::disk_log::MemoryFiles files;
  if (data[0] % 2 == 0)
    files.set_content("/log/segment-0000000000000001.log", bytes);
  else
    files.set_content("/log/cursors", bytes);
  const vigia::ManualClock clock(1'700'000'000'000'000'000);
  vigia::disk_log::DiskLogSettings settings;
  settings.directory = "/log";
  settings.cursors = {{.name = "a"}};
  std::size_t queued = 0;
  auto log =
      vigia::disk_log::DiskLog::open(settings, clock,
                                     {.on_queued = [&queued](const vigia::disk_log::RecordHeader&,
                                                             std::string_view) { ++queued; }},
                                     files);
  if (!log) return 0;  // a segment of a later version
  vigia::disk_log::Cursor& cursor = (*log)->cursor("a");
  std::size_t given = 0;
  vigia::disk_log::LogPosition previous;
  for (;;) {
    auto record = cursor.next(vigia::Duration::zero());
    if (!record || !record->has_value()) break;
    const vigia::disk_log::RecordHeader& header = (*record)->header;
    CHECK(header.position >= previous && header.next > header.position);
    CHECK((*record)->body.size() <= vigia::disk_log::kRecordBytesMax);
    previous = header.next;
    ++given;
  }
  CHECK(given <= queued);
  CHECK(queued * vigia::disk_log::kRecordPrefixBytes <= size);
  return 0;
}
