#include "libs/disk_log/log_check.hpp"

#include <utility>

#include "libs/disk_log/segment_reader.hpp"
#include "libs/disk_log/segment_walk.hpp"

namespace vigia::disk_log {
namespace {

struct Passages {
  std::uint64_t inside = 0;  // with a record behind them, or whose body alone is damaged
  std::uint64_t at_end = 0;
};

Result<Passages> read_all(SegmentReader& reader, std::uint64_t bytes, LogCheck& check) {
  Passages passages;
  reader.pass_unreadable(true);
  while (true) {
    const std::uint64_t before = reader.damaged();
    auto record = reader.next(bytes);
    if (!record) return forward(record);
    if (!record->has_value()) {
      passages.at_end = reader.damaged() - before;
      passages.inside += before;
      return passages;
    }
    if (!(*record)->body) {
      ++passages.inside;
      continue;
    }
    ++check.records;
    check.items += (*record)->header.items;
  }
}

Result<void> check_segment(FileSystem& files, const std::string& directory, const std::string& name,
                           bool is_last, LogCheck& check) {
  auto file = files.open_to_read(directory + "/" + name);
  if (!file) return forward(file);
  const auto bytes = (*file)->size();
  if (!bytes) return forward(bytes);
  ++check.segments;
  check.bytes += *bytes;
  auto reader = SegmentReader::open(*std::move(file), *segment_number(name), ReadDepth::kWhole);
  if (!reader) return forward(reader);
  const auto passages = read_all(*reader, *bytes, check);
  if (!passages) return forward(passages);
  check.is_torn = is_last && passages->at_end > 0;
  const std::uint64_t damaged = passages->inside + (is_last ? 0 : passages->at_end);
  if (damaged > 0) check.damage.push_back({name, damaged});
  return {};
}

}  // namespace

Result<LogCheck> check_log(FileSystem& files, const std::string& directory) {
  auto names = files.list(directory);
  if (!names) return forward(names);
  const auto lock = files.lock(directory);
  if (!lock) return forward(lock);
  std::erase_if(*names, [](const std::string& name) { return !segment_number(name).has_value(); });
  LogCheck check;
  for (const std::string& name : *names) {
    auto checked = check_segment(files, directory, name, name == names->back(), check);
    if (!checked) return forward(checked);
  }
  return check;
}

}  // namespace vigia::disk_log
