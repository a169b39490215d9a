// Which customers nothing is let go of for room, as it lies beside their entries, so that a restart
// does not forget it: docs/formats/side-queue.md.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"

namespace vigia::collector::side {

/// An empty file a customer. Thread contract: any thread; `find` before all else.
class KeptMarks {
 public:
  using Names = std::set<std::string, std::less<>>;
  /// Whose marks are to be there; nothing where that is as it was.
  using Wanted = std::function<std::optional<Names>()>;

  KeptMarks(std::string directory, disk_log::FileSystem& files);

  /// Of the files in the folder those that are marks: whose they are.
  Names find(const std::vector<std::string>& names);
  /// Makes the marks those of `wanted`; durable when it returns true. False, and logged once, where
  /// the disk does not follow: to be tried again. One thread settles at a time, and asks `wanted`
  /// when its turn has come: who finds nothing to do finds it done.
  bool settle(const Wanted& wanted);

 private:
  std::string path_of(std::string_view customer) const;
  Result<void> write(const Names& customers);
  Result<void> remove(const Names& customers);
  void tell(const Result<void>& settled);

  const std::string directory_;
  disk_log::FileSystem& files_;
  std::mutex mutex_;
  Names marked_;
  bool is_failing_ = false;
};

}  // namespace vigia::collector::side
