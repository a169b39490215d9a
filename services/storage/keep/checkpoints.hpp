// Copies of the whole store, made while it takes and answers: to be carried off, looked at, or
// started in its place.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"
#include "services/storage/instance/store_instance.hpp"
#include "services/storage/keep/settings.hpp"

namespace vigia::storage::keep {

/// A checkpoint is a folder of its own, named by its time, that a vigia-storage opens as its store:
/// it holds all that was acknowledged before it was begun. Files that the store writes no more are
/// shared with it (hard links), so it costs little at first, and at most the store's size once the
/// store has rewritten them. Thread contract: any thread.
class Checkpoints {
 public:
  /// All must outlive it. `store`: the folder of the instance.
  Checkpoints(CheckpointSettings settings, std::string store, instance::StoreInstance& instance,
              disk_log::FileSystem& files, const Clock& clock);

  /// The name of the new one, whole and on disk; the oldest beyond those that are kept are gone by
  /// then. Takes seconds. kUnavailable while another is being made, while damaged files are mended,
  /// and where the disk has no room; kInvalid where the store has no such copies, or their folder
  /// lies on another file system.
  Result<std::string> make();

 private:
  Result<void> prepare();
  Result<void> fill(const std::string& work, const std::string& log);
  Result<void> copy_beside(const std::string& work);
  void clear_unfinished();
  void drop_oldest();
  std::vector<std::string> names(bool is_finished) const;
  std::string free_name() const;
  std::string path_of(const std::string& name) const { return settings_.directory + "/" + name; }

  const CheckpointSettings settings_;
  const std::string store_;
  instance::StoreInstance& instance_;
  disk_log::FileSystem& files_;
  const Clock& clock_;
  std::mutex mutex_;  // held while one is made
};

}  // namespace vigia::storage::keep
