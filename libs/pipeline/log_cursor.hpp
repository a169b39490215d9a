// A cursor of the disk log: reads on its own, commits into the log's shared state.
#pragma once

#include <optional>

#include "libs/pipeline/disk_log.hpp"
#include "libs/pipeline/log_state.hpp"
#include "libs/pipeline/segment_reader.hpp"

namespace vigia::pipeline {

class LogCursor final : public Cursor {
 public:
  LogCursor(LogState& state, FileSystem& files, std::size_t index);
  Result<std::optional<DiskRecord>> next(Duration wait) override;
  LogPosition commit(LogPosition position) override;
  LogPosition committed() const override;
  void rewind() override;
  Result<void> for_each_queued(
      const std::function<void(const RecordHeader&)>& visit) const override;
  void interrupt() override;

 private:
  Result<void> open_segment(std::uint64_t number);

  LogState& state_;
  FileSystem& files_;
  std::size_t index_;
  LogPosition read_;
  std::optional<SegmentReader> reader_;
};

}  // namespace vigia::pipeline
