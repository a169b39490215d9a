#include "libs/pipeline/log_cursor.hpp"

namespace vigia::pipeline {

LogCursor::LogCursor(const Parts& parts, std::size_t index) : parts_(parts), index_(index) {}

Result<void> LogCursor::open_segment(const Readable& readable) {
  const std::uint64_t number = readable.position.segment;
  if (reader_ && reader_->number() == number) return {};
  reader_.reset();
  auto file = parts_.files.open_to_read(parts_.state.path_of(number));
  if (!file) return forward(file);
  auto reader = SegmentReader::open(*std::move(file), number, ReadDepth::kWhole, readable.marker);
  if (!reader) return forward(reader);
  reader_.emplace(*std::move(reader));
  return {};
}

Result<std::optional<FoundRecord>> LogCursor::read(const Readable& readable) {
  if (auto opened = open_segment(readable); !opened) return forward(opened);
  reader_->seek(readable.position.offset);
  const std::uint64_t damaged_before = reader_->damaged();
  auto found = reader_->next(readable.limit);
  if (!found) {
    reader_.reset();
    return found;
  }
  fault_.reset();
  if (reader_->damaged() != damaged_before)
    parts_.state.count_damaged_passage(index_, readable.position);
  read_.offset = reader_->offset();
  return found;
}

bool LogCursor::is_given_up(const Error& error) {
  const TimePoint now = parts_.clock.steady();
  if (!fault_ || fault_->position != read_) fault_ = Fault{read_, now, 0};
  ++fault_->tries;
  return error.code != ErrorCode::kUnavailable && fault_->tries >= kUnreadableTriesMin &&
         now >= fault_->since + parts_.settings.unreadable_patience;
}

Result<std::optional<FoundRecord>> LogCursor::read_behind_fault(const Readable& readable,
                                                                const Error& why) {
  Result<std::optional<FoundRecord>> found = std::optional<FoundRecord>();
  if (open_segment(readable)) {
    reader_->pass_unreadable(true);
    found = read(readable);
    if (!found) return found;
    reader_->pass_unreadable(false);
  } else {  // without its file, or the marker in its header, nothing of a segment can be found
    parts_.state.count_damaged_passage(index_, readable.position);
    read_.offset = readable.limit;
  }
  const bool has_whole = found->has_value() && (*found)->body;
  const std::uint64_t end = has_whole ? (*found)->header.position.offset : read_.offset;
  parts_.state.report_skip({parts_.state.cursor_name(index_), parts_.state.path_of(read_.segment),
                            readable.position.offset, end, why.message});
  fault_.reset();
  return found;
}

Result<std::optional<DiskRecord>> LogCursor::next(Duration wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    const auto readable = parts_.state.wait_readable(index_, read_, deadline);
    if (!readable) return std::optional<DiskRecord>();
    read_ = readable->position;
    auto found = read(*readable);
    if (!found && !parts_.state.holds(read_.segment)) continue;  // dropped while we looked
    if (!found && is_given_up(found.error())) found = read_behind_fault(*readable, found.error());
    if (!found) {
      found.error().code = ErrorCode::kUnavailable;
      return forward(found);
    }
    if (!found->has_value()) continue;
    FoundRecord& record = **found;
    if (!record.body) {
      parts_.state.count_damaged_record(index_, record.header);
      continue;
    }
    return std::optional<DiskRecord>(DiskRecord{std::move(record.header), *std::move(record.body)});
  }
}

LogPosition LogCursor::commit(LogPosition position) {
  return parts_.state.commit(index_, position);
}

LogPosition LogCursor::committed() const { return parts_.state.committed(index_); }

void LogCursor::rewind() { read_ = parts_.state.committed(index_); }

std::uint64_t LogCursor::lost() const { return parts_.state.lost(index_); }

void LogCursor::interrupt() { parts_.state.interrupt(index_); }

}  // namespace vigia::pipeline
