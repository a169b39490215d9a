// Room on the disk that is kept for what goes aside: on a disk that the log has filled, what
// empties the log again needs some first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/disk_log/file_system.hpp"

namespace vigia::collector::side {

struct SideReserveSettings {
  std::string directory;        ///< its file is `reserve` there
  std::uint64_t bytes_max = 0;  ///< 0: none is kept
  /// Of the disk that the folder lies on.
  std::function<std::uint64_t()> free_bytes = {};
};

/// A file of zeros, at most an eighth of what is free, while the disk has little room; it is cut
/// where that is needed, and grows again. Thread contract: any thread.
class SideReserve {
 public:
  SideReserve(SideReserveSettings settings, const Clock& clock, disk_log::FileSystem& files);
  /// Takes or takes back what there is room for; looks at the disk once a second.
  void keep();
  /// Gives so many bytes free, or what there is. False where there was nothing.
  bool give(std::uint64_t bytes);

  static constexpr std::uint64_t kPlenty = 64;  ///< times bytes_max that are free: none is kept
  static constexpr std::uint64_t kParts = 8;
  static constexpr std::uint64_t kStepBytes = 64U << 10U;  ///< what is less is not taken

 private:
  void resume();
  void grow(std::uint64_t bytes);

  const SideReserveSettings settings_;
  const Clock& clock_;
  disk_log::FileSystem& files_;
  std::mutex mutex_;
  TimePoint looked_{};
  std::unique_ptr<disk_log::File> file_;
  std::uint64_t bytes_ = 0;
};

}  // namespace vigia::collector::side
