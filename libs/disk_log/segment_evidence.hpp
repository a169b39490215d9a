// Segments of the disk log that were found damaged, kept for a person once the log lets them go.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "libs/disk_log/file_system.hpp"

namespace vigia::disk_log {

/// A damaged segment has a second name, `<segment>.damaged`, from when the damage is found: it
/// costs room only once the log has let the segment go, and the log never does without room for its
/// sake. The newest kFilesMax are kept.
/// Thread contract: one thread at a time.
class SegmentEvidence {
 public:
  static constexpr std::size_t kFilesMax = 4;
  using IsHeld = std::function<bool(std::uint64_t segment)>;

  /// Both outlive this.
  SegmentEvidence(const std::string& directory, FileSystem& files);
  /// Once, before the rest: what lies there already.
  void recover();
  /// The segment is damaged. To be called while it is there.
  void keep(std::uint64_t segment);
  /// Removes a segment of the log: its file, or where the file system knows no second names and it
  /// is to be kept, the name.
  void remove_segment(std::uint64_t segment);
  /// Bytes of what the log itself does not hold any more.
  std::uint64_t bytes_beside(const IsHeld& is_held) const;
  /// Removes the oldest; false where there is none.
  bool remove_oldest();

 private:
  std::string path_of(std::uint64_t segment) const;

  const std::string& directory_;
  FileSystem& files_;
  std::map<std::uint64_t, std::uint64_t> kept_;  // bytes by segment
  std::set<std::uint64_t> to_rename_;            // of these, without a second name
};

}  // namespace vigia::disk_log
