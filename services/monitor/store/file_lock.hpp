// One process at a time.
#pragma once

#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "libs/base/result.hpp"

namespace vigia::monitor::store {

/// Keeps a second copy of the program away from the same file; released when the process ends.
class FileLock {
 public:
  static Result<FileLock> take(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
      return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be opened for writing", path));
    }
    FileLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{}: another vigia-monitor uses this database", path));
    }
    return lock;
  }
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace vigia::monitor::store
