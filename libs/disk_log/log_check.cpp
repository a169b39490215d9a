#include "libs/disk_log/log_check.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "libs/disk_log/segment_reader.hpp"
#include "libs/disk_log/segment_walk.hpp"

namespace vigia::disk_log {
namespace {

struct Walked {
  std::uint64_t passages = 0;  // damaged, with a record behind them, or whose body alone is
  std::uint64_t bytes = 0;     // of the file
  bool has_tail = false;       // bytes behind the last record that are none
  bool is_cut = false;         // they are the beginning of a record
  std::uint64_t first = 0;     // sequence numbers of its records; 0: there is none
  std::uint64_t last = 0;
};

// One segment after the other: the next one's header says where this one was closed.
class SegmentsCheck {
 public:
  SegmentsCheck(FileSystem& files, std::string directory, const RecordVisit& visit)
      : files_(files), directory_(std::move(directory)), visit_(visit) {}

  /// The error of whoever is told of the records; the folder's own are part of the report.
  Result<void> add(const std::string& name) {
    ++check_.segments;
    const std::uint64_t number = *segment_number(name);
    std::uint64_t previous_end = 0;
    auto walked = walk(name, number, previous_end);
    close_last(number, previous_end, walked ? walked->first : 0);
    last_ = {name, number, walked ? *walked : Walked()};
    last_.is_read = walked.has_value();
    if (!walked) note(name, walked.error().message);
    return std::exchange(visited_, {});
  }

  LogCheck finish() {
    if (!last_.name.empty()) {
      check_.is_torn = last_.walked.is_cut;
      // Nothing behind it tells whether a record is missing.
      if (last_.walked.has_tail && !last_.walked.is_cut) ++last_.walked.passages;
      note_passages();
    }
    return std::move(check_);
  }

 private:
  struct Last {
    std::string name;
    std::uint64_t number = 0;
    Walked walked;
    bool is_read = false;
  };

  void note(const std::string& file, std::string what) {
    check_.damage.push_back({file, std::move(what)});
  }
  void note_passages() {
    if (last_.walked.passages == 0) return;
    note(last_.name, fmt::format("{} damaged passages", last_.walked.passages));
  }

  // `end`: where the segment was closed, as the next one says; `first`: that one's first record. A
  // tail that is no record was torn by a kill, and nobody was told that it is kept: then no number
  // is missing behind it.
  void close_last(std::uint64_t number, std::uint64_t end, std::uint64_t first) {
    if (last_.name.empty() || !last_.is_read) return;
    note_passages();
    const Walked& walked = last_.walked;
    if (number != last_.number + 1) {
      note(last_.name, fmt::format("{} segments behind it are missing", number - last_.number - 1));
    } else if (end > walked.bytes) {
      note(last_.name, fmt::format("its end is missing: {} bytes", end - walked.bytes));
    } else if (walked.has_tail && walked.last > 0 && first > walked.last + 1) {
      note(last_.name,
           fmt::format("its end is damaged: of up to {} records", first - walked.last - 1));
    }
  }

  Result<Walked> walk(const std::string& name, std::uint64_t number, std::uint64_t& previous_end) {
    auto file = files_.open_to_read(directory_ + "/" + name);
    if (!file) return forward(file);
    const auto bytes = (*file)->size();
    if (!bytes) return forward(bytes);
    check_.bytes += *bytes;
    auto reader = SegmentReader::open(*std::move(file), number, ReadDepth::kWhole);
    if (!reader) return forward(reader);
    previous_end = reader->previous_end();
    return read_all(*reader, *bytes);
  }

  Result<Walked> read_all(SegmentReader& reader, std::uint64_t bytes) {
    Walked walked;
    walked.bytes = bytes;
    reader.pass_unreadable(true);
    std::uint64_t bodies = 0;
    while (true) {
      const std::uint64_t skipped = reader.damaged();
      auto record = reader.next(bytes);
      if (!record) return forward(record);
      if (!record->has_value()) {
        walked.is_cut = reader.has_cut_end();
        walked.has_tail = walked.is_cut || reader.damaged() > skipped;
        walked.passages = skipped + bodies;
        return walked;
      }
      walked.last = (*record)->header.sequence;
      if (walked.first == 0) walked.first = walked.last;
      if (!(*record)->body) {
        ++bodies;
        continue;
      }
      ++check_.records;
      check_.items += (*record)->header.items;
      if (visit_) visited_ = visit_((*record)->header, *(*record)->body);
      if (!visited_) return walked;
    }
  }

  FileSystem& files_;
  const std::string directory_;
  const RecordVisit& visit_;
  Result<void> visited_;
  LogCheck check_;
  Last last_;
};

}  // namespace

Result<LogCheck> check_log(FileSystem& files, const std::string& directory,
                           const RecordVisit& visit) {
  auto names = files.list(directory);
  if (!names) return forward(names);
  // A copy of a folder may have no lock; none is made for it.
  std::unique_ptr<DirectoryLock> lock;
  if (std::find(names->begin(), names->end(), "lock") != names->end()) {
    auto taken = files.lock(directory);
    if (!taken) return forward(taken);
    lock = std::move(*taken);
  }
  SegmentsCheck walk(files, directory, visit);
  for (const std::string& name : *names) {
    if (!segment_number(name)) continue;
    if (auto visited = walk.add(name); !visited) return forward(visited);
  }
  return walk.finish();
}

}  // namespace vigia::disk_log
