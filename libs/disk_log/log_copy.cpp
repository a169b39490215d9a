#include "libs/disk_log/log_copy.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "libs/disk_log/record_format.hpp"
#include "libs/disk_log/segment_reader.hpp"
#include "libs/disk_log/segment_walk.hpp"

namespace vigia::disk_log {
namespace {

constexpr int kTries = 10;
constexpr std::size_t kPieceBytes = 1U << 20U;
constexpr const char* kCursors = "/cursors";

Result<std::string> read_file(const File& file, std::uint64_t bytes) {
  std::string content;
  std::string piece;
  while (content.size() < bytes) {
    const std::size_t wanted = std::min<std::uint64_t>(kPieceBytes, bytes - content.size());
    if (auto read = file.read_at(content.size(), wanted, piece); !read) return forward(read);
    if (piece.empty()) break;
    content += piece;
  }
  return content;
}

Result<void> write_file(FileSystem& files, const std::string& path, std::string_view content) {
  auto file = files.create(path);
  if (!file) return forward(file);
  if (auto written = (*file)->append({content}); !written) return written;
  return (*file)->sync();
}

// Where the last whole record ends: what is behind it is under way.
Result<std::uint64_t> whole_end(std::unique_ptr<File> file, std::uint64_t number,
                                std::uint64_t bytes) {
  auto reader = SegmentReader::open(std::move(file), number, ReadDepth::kWhole);
  if (!reader) return forward(reader);
  reader->pass_unreadable(true);
  std::uint64_t end = std::min<std::uint64_t>(bytes, kSegmentHeaderBytes);
  while (true) {
    auto record = reader->next(bytes);
    if (!record) return forward(record);
    if (!record->has_value()) return end;
    if ((*record)->body) end = (*record)->header.next.offset;
  }
}

class LogCopy {
 public:
  LogCopy(FileSystem& files, const std::string& from, const std::string& to)
      : files_(files), from_(from), to_(to) {}

  /// False where segments went meanwhile: again from the beginning is right.
  Result<bool> attempt() {
    // Before the segments: what it says was passed is in the copy of whoever has passed it, and it
    // says less of the newest one's end than that one holds by then.
    auto first = copy_cursors();
    if (!first) return forward(first);
    const auto names = files_.list(from_);
    if (!names) return forward(names);
    std::vector<std::uint64_t> wanted;
    for (const std::string& name : *names) {
      const auto number = segment_number(name);
      if (number && *number >= *first) wanted.push_back(*number);
    }
    std::sort(wanted.begin(), wanted.end());
    for (const std::uint64_t number : wanted) {
      auto copied = number == wanted.back() ? copy_newest(number) : link(number);
      if (!copied && copied.error().code == ErrorCode::kNotFound) return false;
      if (!copied) return forward(copied);
    }
    return true;
  }

  Result<void> clear() {
    const auto names = files_.list(to_);
    if (!names) return forward(names);
    for (const std::string& name : *names) {
      if (auto removed = files_.remove(to_ + "/" + name); !removed) return removed;
    }
    return {};
  }

 private:
  // The first segment that a cursor still needs.
  Result<std::uint64_t> copy_cursors() {
    auto file = files_.open_to_read(from_ + kCursors);
    if (!file && file.error().code == ErrorCode::kNotFound) return 0U;
    if (!file) return forward(file);
    const auto bytes = (*file)->size();
    if (!bytes) return forward(bytes);
    const auto content = read_file(**file, *bytes);
    if (!content) return forward(content);
    if (auto written = write_file(files_, to_ + kCursors, *content); !written) {
      return forward(written);
    }
    const auto cursors = decode_cursor_file(*content);
    // A damaged one sends a start through the whole log.
    if (!cursors || cursors->cursors.empty()) return 0U;
    std::uint64_t first = UINT64_MAX;
    for (const auto& [name, place] : cursors->cursors) {
      first = std::min(first, place.position.segment);
    }
    return first;
  }

  Result<void> link(std::uint64_t number) {
    return files_.link(segment_path(from_, number), segment_path(to_, number));
  }

  Result<void> copy_newest(std::uint64_t number) {
    auto file = files_.open_to_read(segment_path(from_, number));
    if (!file) return forward(file);
    const auto bytes = (*file)->size();
    if (!bytes) return forward(bytes);
    auto again = files_.open_to_read(segment_path(from_, number));
    if (!again) return forward(again);
    const auto end = whole_end(*std::move(again), number, *bytes);
    if (!end) return forward(end);
    const auto content = read_file(**file, *end);
    if (!content) return forward(content);
    return write_file(files_, segment_path(to_, number), *content);
  }

  FileSystem& files_;
  const std::string& from_;
  const std::string& to_;
};

}  // namespace

Result<void> copy_log(FileSystem& files, const std::string& from, const std::string& to) {
  if (auto made = files.create_directory(to); !made) return made;
  LogCopy copy(files, from, to);
  for (int tries = 0; tries < kTries; ++tries) {
    const auto copied = copy.attempt();
    if (!copied && copied.error().code == ErrorCode::kNotFound) return {};  // there is no log
    if (!copied) return forward(copied);
    if (*copied) return files.sync_directory(to);
    if (auto cleared = copy.clear(); !cleared) return cleared;
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("the segments of {} go faster than they are linked", from));
}

}  // namespace vigia::disk_log
