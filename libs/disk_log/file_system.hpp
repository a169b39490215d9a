// The operating system's files behind a small interface, so that a test can fail the third write,
// drop what was not synced, or fill the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::disk_log {

/// One open file. Thread contract: writes from one thread; read_at from any.
class File {
 public:
  virtual ~File() = default;
  /// Appends all of `parts`, in order. On an error any prefix of them may have been written.
  virtual Result<void> append(const std::vector<std::string_view>& parts) = 0;
  /// fdatasync. After an error nothing that was written since the last success is to be trusted.
  virtual Result<void> sync() = 0;
  /// Cuts the file to `bytes`; the next append goes there.
  virtual Result<void> truncate(std::uint64_t bytes) = 0;
  /// Reads up to `count` bytes from `offset` into `out` (resized to what was read; empty at the
  /// end of the file).
  virtual Result<void> read_at(std::uint64_t offset, std::size_t count, std::string& out) const = 0;
  virtual Result<std::uint64_t> size() const = 0;
};

/// Held while a process uses a folder; destroyed, it lets go.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

/// Thread contract: any thread. Errors, of files too: kNotFound where there is no such file,
/// kCorrupt where the device cannot read what it holds (EIO), kUnavailable for the rest (a full
/// disk too); all name the path and the system's reason.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// A new, empty file; an old one of that name is replaced. Mode 0600.
  virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  virtual Result<std::unique_ptr<File>> open_to_read(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  /// A second name for the file; an error where that name is taken.
  virtual Result<void> link(const std::string& path, const std::string& second) = 0;
  /// Names of the plain files in the folder, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  /// The folder and its parents; existing ones are no error. Mode 0700.
  virtual Result<void> create_directory(const std::string& directory) = 0;
  /// Makes creations, renames and removals in the folder durable.
  virtual Result<void> sync_directory(const std::string& directory) = 0;
  /// flock on `<directory>/lock`. kUnavailable, naming the folder, where another process holds it.
  virtual Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) = 0;
};

/// The real one; lives for the whole process.
FileSystem& system_files();

}  // namespace vigia::disk_log
