#include "libs/disk_log/log_cursor.hpp"

#include <utility>

#include <fmt/format.h>

namespace vigia::disk_log {

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

// A reader that failed is not asked again: the next try opens the file anew, which helps where the
// disk was away and its descriptors with it.
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
  is_damage_new_ = reader_->damaged() != damaged_before &&
                   parts_.state.count_damaged_passage(index_, readable.position);
  read_.offset = reader_->offset();
  return found;
}

void LogCursor::tell_damage(const Readable& readable, const std::optional<FoundRecord>& found) {
  const std::string path = parts_.state.path_of(readable.position.segment);
  const std::string& name = parts_.state.cursor_name(index_);
  if (is_damage_new_) {
    const std::uint64_t end = found ? found->header.position.offset : read_.offset;
    std::string why = "the bytes are damaged: no record can be found in them";
    const std::uint64_t next = found ? found->header.sequence : 0;
    if (last_sequence_ > 0 && next > last_sequence_ + 1)
      why += fmt::format("; {} records at most are missing", next - last_sequence_ - 1);
    parts_.state.report_skip({name, path, readable.position.offset, end, std::move(why)});
  }
  if (!found || found->body) return;
  if (parts_.state.count_damaged_record(index_, found->header)) {
    parts_.state.report_skip(
        {name, path, found->header.position.offset, found->header.next.offset,
         fmt::format("{}; a record of {} {} with {} items", found->body.error().message,
                     parts_.settings.owner_word, found->header.tag.owner, found->header.items)});
  }
}

// Tries and time: many tries within a moment say nothing of a disk that hangs, and one try after a
// long time says nothing either. What is unavailable passes by itself and is never given up.
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

std::optional<DiskRecord> LogCursor::take_recent() {
  std::optional<DiskRecord> recent = parts_.recent.take(read_);
  if (!recent) return recent;
  fault_.reset();
  read_ = recent->header.next;
  last_sequence_ = recent->header.sequence;
  return recent;
}

Result<std::optional<DiskRecord>> LogCursor::next(Duration wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    const auto readable = parts_.state.wait_readable(index_, read_, deadline);
    if (!readable) return std::optional<DiskRecord>();
    read_ = readable->position;
    if (auto recent = take_recent()) return recent;
    auto found = read(*readable);
    if (!found && !parts_.state.holds(read_.segment)) continue;  // dropped while we looked
    const bool is_behind_fault = !found && is_given_up(found.error());
    if (is_behind_fault) found = read_behind_fault(*readable, found.error());
    if (!found) {
      // Whatever it was, whoever asks tries again: that a passage cannot be read is decided here
      // alone, once for all who read.
      found.error().code = ErrorCode::kUnavailable;
      return forward(found);
    }
    if (!is_behind_fault) tell_damage(*readable, *found);
    if (!found->has_value()) continue;
    FoundRecord& record = **found;
    last_sequence_ = record.header.sequence;
    if (!record.body) {
      if (is_behind_fault) (void)parts_.state.count_damaged_record(index_, record.header);
      continue;
    }
    return std::optional<DiskRecord>(DiskRecord{std::move(record.header), *std::move(record.body)});
  }
}

void LogCursor::pass_over(const RecordHeader& header, std::string why) {
  if (!parts_.state.count_damaged_record(index_, header)) return;
  parts_.state.report_skip({parts_.state.cursor_name(index_),
                            parts_.state.path_of(header.position.segment), header.position.offset,
                            header.next.offset, std::move(why)});
}

LogPosition LogCursor::commit(LogPosition position) {
  return parts_.state.commit(index_, position);
}

LogPosition LogCursor::committed() const { return parts_.state.committed(index_); }

void LogCursor::rewind() {
  // The count of what is missing begins anew: what is read again is no gap.
  read_ = parts_.state.committed(index_);
  last_sequence_ = 0;
}

std::uint64_t LogCursor::lost() const { return parts_.state.lost(index_); }

void LogCursor::interrupt() { parts_.state.interrupt(index_); }

}  // namespace vigia::disk_log
