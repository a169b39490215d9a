// That damage was found on the disk, kept until it has been shown long enough for somebody to see.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/disk_log/file_system.hpp"

namespace vigia::disk_log {

/// A counter that is 1 at its first scrape, or 1 again after a restart, shows no increase to who
/// reads it. So damage is shown as a state: from when it is found until the program has run for
/// kShown since, by the steady clock. A file stands for what has not been shown for so long; a
/// program that ends before, or is killed, shows it for as long again once it is back.
/// Thread contract: found and is_shown from any thread; keep from one.
class DamageNotice {
 public:
  static constexpr Duration kShown = std::chrono::hours(1);

  /// `path`, of the file, has a folder; that exists once keep is called. The rest outlives the
  /// notice.
  DamageNotice(std::string path, FileSystem& files, const Clock& clock);

  /// Once, before the rest: whether a run before has left something to show. A file that cannot be
  /// read counts as one that is there.
  void recover();
  void found();
  bool is_shown() const;
  /// Brings the file in line with what is shown. To be called every now and then: what the disk
  /// does not take is tried again.
  void keep();

 private:
  Result<void> write();

  const std::string path_;
  FileSystem& files_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::optional<TimePoint> shown_from_;  // guarded by mutex_
  bool has_file_ = false;                // of keep's thread
};

}  // namespace vigia::disk_log
