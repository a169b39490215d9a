// The file beside the disk log that holds what streams of deltas came to, up to a place in it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/disk_log/file_system.hpp"
#include "libs/model/ids.hpp"

namespace vigia::collector::intake {

/// Format: docs/formats/delta-states.md. Thread contract: one thread.
class DeltaCheckpoint {
 public:
  using Taker = std::function<Result<void>(const CustomerId& customer, std::string_view states)>;

  DeltaCheckpoint(const std::string& directory, disk_log::FileSystem& files);

  /// A file in the place of the old one, all of it on disk: states of each customer
  /// (DeltaAccumulator::all) as they are once everything before `position` is added.
  class Writing {
   public:
    explicit Writing(disk_log::LogPosition position);
    void add(const CustomerId& customer, std::string_view states);

   private:
    friend class DeltaCheckpoint;
    std::string bytes_;
  };
  Result<void> write(Writing writing);

  /// Gives what lies there to `take`, and returns its position. kNotFound where there is no file,
  /// kCorrupt where it is not as it was written: nothing was given then.
  Result<disk_log::LogPosition> read(const Taker& take) const;
  const std::string& path() const { return path_; }

 private:
  std::string directory_;
  std::string path_;
  disk_log::FileSystem& files_;
};

}  // namespace vigia::collector::intake
