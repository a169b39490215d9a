// A cursor of the disk log: reads on its own, commits into the log's shared state.
#pragma once

#include <optional>

#include "libs/disk_log/disk_log.hpp"
#include "libs/disk_log/log_state.hpp"
#include "libs/disk_log/recent_records.hpp"
#include "libs/disk_log/segment_reader.hpp"

namespace vigia::disk_log {

class LogCursor final : public Cursor {
 public:
  struct Parts {  // all of it outlives the cursor
    LogState& state;
    FileSystem& files;
    const Clock& clock;
    const DiskLogSettings& settings;
    RecentRecords& recent;
  };
  LogCursor(const Parts& parts, std::size_t index);
  Result<std::optional<DiskRecord>> next(Duration wait) override;
  void pass_over(const RecordHeader& header, std::string why) override;
  LogPosition commit(LogPosition position) override;
  LogPosition committed() const override;
  void rewind() override;
  std::uint64_t lost() const override;
  void interrupt() override;

 private:
  struct Fault {  // what could not be read, since when, how often tried
    LogPosition position;
    TimePoint since;
    int tries = 0;
  };

  Result<void> open_segment(const Readable& readable);
  /// What is in memory still, at the read position.
  std::optional<DiskRecord> take_recent();
  Result<std::optional<FoundRecord>> read(const Readable& readable);
  /// Of damage that the last read has met for the first time, if there was any.
  void tell_damage(const Readable& readable, const std::optional<FoundRecord>& found);
  /// True where the fault has lasted for so long that what is at fault is given up.
  bool is_given_up(const Error& error);
  Result<std::optional<FoundRecord>> read_behind_fault(const Readable& readable, const Error& why);

  Parts parts_;
  std::size_t index_;
  LogPosition read_;
  std::optional<SegmentReader> reader_;
  std::optional<Fault> fault_;
  bool is_damage_new_ = false;       // of the last read
  std::uint64_t last_sequence_ = 0;  // given last; 0: none, or another place since
};

}  // namespace vigia::disk_log
