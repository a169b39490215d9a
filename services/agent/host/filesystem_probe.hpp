// How full file systems are. One that does not answer (a dead network mount, a dying disk) keeps a
// thread of its own waiting, never the agent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"

namespace vigia::agent::host {

/// Bytes. used + free + reserved is the whole size.
struct FilesystemSpace {
  std::uint64_t used = 0;
  std::uint64_t free = 0;      ///< for everybody
  std::uint64_t reserved = 0;  ///< for the administrator
  std::uint64_t limit() const { return used + free + reserved; }
};

/// statvfs, or what a test puts in its place; nothing on an error.
using StatFilesystem = std::function<std::optional<FilesystemSpace>(const std::string& path)>;

/// The real one. Sizes beyond 2^63 are cut to that.
std::optional<FilesystemSpace> stat_filesystem(const std::string& path);

struct ProbeResult {
  std::optional<FilesystemSpace> space;
  bool is_stuck = false;  ///< still being asked, in this round or since an earlier one
};

/// Asks in a thread. A path whose answer is late keeps that thread until it comes; the rest goes on
/// in a new one, and the path is not asked again before. At most kStuckThreadsMax threads wait.
/// Thread contract: one thread.
class FilesystemProbe {
 public:
  FilesystemProbe(StatFilesystem stat, Duration patience);
  ~FilesystemProbe();
  FilesystemProbe(const FilesystemProbe&) = delete;
  FilesystemProbe& operator=(const FilesystemProbe&) = delete;
  FilesystemProbe(FilesystemProbe&&) = delete;
  FilesystemProbe& operator=(FilesystemProbe&&) = delete;

  /// A result for each path, in order, at the latest after `patience` for every path that is newly
  /// stuck.
  std::vector<ProbeResult> ask(const std::vector<std::string>& paths);

  static constexpr std::size_t kStuckThreadsMax = 16;

 private:
  struct Worker;
  ProbeResult ask_one(const std::string& path);
  void forget_recovered();

  StatFilesystem stat_;
  Duration patience_;
  std::shared_ptr<Worker> worker_;              // shared with its thread, which may outlive us
  std::vector<std::shared_ptr<Worker>> stuck_;  // each waiting for one path
};

}  // namespace vigia::agent::host
