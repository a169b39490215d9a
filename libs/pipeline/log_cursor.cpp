#include "libs/pipeline/log_cursor.hpp"

namespace vigia::pipeline {

LogCursor::LogCursor(LogState& state, FileSystem& files, std::size_t index)
    : state_(state), files_(files), index_(index) {}

Result<void> LogCursor::open_segment(std::uint64_t number) {
  if (reader_ && reader_->number() == number) return {};
  reader_.reset();
  auto file = files_.open_to_read(state_.segment_path(number));
  if (!file) return forward(file);
  auto reader = SegmentReader::open(*std::move(file), number, ReadDepth::kWhole);
  if (!reader) return forward(reader);
  reader_.emplace(*std::move(reader));
  return {};
}

Result<std::optional<DiskRecord>> LogCursor::next(Duration wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    const auto readable = state_.wait_readable(index_, read_, deadline);
    if (!readable) return std::optional<DiskRecord>();
    read_ = readable->position;
    if (auto opened = open_segment(read_.segment); !opened) {
      if (!state_.holds(read_.segment)) continue;  // dropped while we looked
      opened.error().code = ErrorCode::kUnavailable;
      return forward(opened);
    }
    reader_->seek(read_.offset);
    const std::uint64_t damaged_before = reader_->damaged();
    auto found = reader_->next(readable->limit);
    if (!found) {
      reader_.reset();
      return forward(found);
    }
    if (reader_->damaged() != damaged_before) state_.note_damage(read_);
    read_.offset = reader_->offset();
    if (!found->has_value()) continue;
    FoundRecord& record = **found;
    if (!record.body) {
      state_.note_damage(record.header.position);
      state_.count_damaged_record(index_, record.header);
      continue;
    }
    return std::optional<DiskRecord>(DiskRecord{std::move(record.header), *std::move(record.body)});
  }
}

LogPosition LogCursor::commit(LogPosition position) { return state_.commit(index_, position); }

LogPosition LogCursor::committed() const { return state_.committed(index_); }

void LogCursor::rewind() { read_ = state_.committed(index_); }

Result<void> LogCursor::for_each_queued(
    const std::function<void(const RecordHeader&)>& visit) const {
  return state_.for_each_queued(index_, visit);
}

void LogCursor::interrupt() { state_.interrupt(index_); }

}  // namespace vigia::pipeline
