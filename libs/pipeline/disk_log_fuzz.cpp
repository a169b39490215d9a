// Bytes as a segment, or as the file of cursors: whatever they are, the log opens, a walk over them
// ends, and what it gives keeps its promises.
#include "libs/base/check.hpp"
#include "libs/pipeline/disk_log.hpp"
#include "libs/pipeline/memory_files.hpp"
#include "libs/pipeline/record_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(data + 1, data + size);
  vigia::pipeline::MemoryFiles files;
  if (data[0] % 2 == 0)
    files.set_content("/log/segment-0000000000000001.log", bytes);
  else
    files.set_content("/log/cursors", bytes);
  const vigia::ManualClock clock(1'700'000'000'000'000'000);
  vigia::pipeline::DiskLogSettings settings;
  settings.directory = "/log";
  settings.cursors = {{.name = "a"}};
  std::size_t queued = 0;
  auto log =
      vigia::pipeline::DiskLog::open(settings, clock,
                                     {.on_queued = [&queued](const vigia::pipeline::RecordHeader&,
                                                             std::string_view) { ++queued; }},
                                     files);
  if (!log) return 0;  // a segment of a later version
  vigia::pipeline::Cursor& cursor = (*log)->cursor("a");
  std::size_t given = 0;
  vigia::pipeline::LogPosition previous;
  for (;;) {
    auto record = cursor.next(vigia::Duration::zero());
    if (!record || !record->has_value()) break;
    const vigia::pipeline::RecordHeader& header = (*record)->header;
    CHECK(header.position >= previous && header.next > header.position);
    CHECK((*record)->body.size() <= vigia::pipeline::kRecordBytesMax);
    previous = header.next;
    ++given;
  }
  CHECK(given <= queued);
  CHECK(queued * vigia::pipeline::kRecordPrefixBytes <= size);
  return 0;
}
