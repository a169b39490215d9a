// A file system in memory for tests: it can fail any call, fill up, and lose power, which takes
// away whatever was not synced.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/disk_log/file_system.hpp"

namespace vigia::disk_log {

/// Thread contract: any thread.
class MemoryFiles final : public FileSystem {
 public:
  MemoryFiles();
  ~MemoryFiles() override;

  /// What is asked before each call: "write", "sync", "truncate", "create", "open", "rename",
  /// "remove", "link" or "read", with the path. True fails the call (a write puts half of its bytes
  /// down first).
  void fail_when(std::function<bool(std::string_view call, const std::string& path)> is_failing);
  /// A bad sector: reads that touch the bytes [from, to) of the file fail as the device's own fault
  /// does (kCorrupt), until mend_sectors.
  void spoil(const std::string& path, std::uint64_t from, std::uint64_t to);
  void mend_sectors();
  /// The disk holds this many bytes; a write over it puts down what fits and fails.
  void set_capacity(std::uint64_t bytes);
  /// The power goes: content that was not synced, and names whose folder was not, are gone. With
  /// `keep_unsynced` in (0, 1) each file keeps that share of its unsynced tail, as disks do.
  /// Descriptors opened before write into nothing that can be seen again.
  void cut_power(double keep_unsynced = 0);

  std::uint64_t used_bytes() const;
  std::vector<std::string> names(const std::string& directory);
  std::string content(const std::string& path);
  void set_content(const std::string& path, std::string bytes);

  Result<std::unique_ptr<File>> create(const std::string& path) override;
  Result<std::unique_ptr<File>> open_to_read(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> link(const std::string& path, const std::string& second) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<void> create_directory(const std::string& directory) override;
  Result<void> sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) override;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the open files, which may outlive a test's folder
};

}  // namespace vigia::disk_log
