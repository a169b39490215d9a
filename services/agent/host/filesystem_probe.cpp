#include "services/agent/host/filesystem_probe.hpp"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>

#include <sys/statvfs.h>

#include "libs/base/fault.hpp"
#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::host {

std::optional<FilesystemSpace> stat_filesystem(const std::string& path) {
  struct statvfs raw{};
  if (::statvfs(path.c_str(), &raw) != 0 || raw.f_blocks == 0) return std::nullopt;
  const std::uint64_t unit = raw.f_frsize != 0 ? raw.f_frsize : raw.f_bsize;
  const auto bytes = [&](std::uint64_t blocks) {
    return static_cast<std::uint64_t>(to_signed_saturating(multiply_saturating(blocks, unit)));
  };
  const std::uint64_t free_all = std::min<std::uint64_t>(raw.f_bfree, raw.f_blocks);
  const std::uint64_t free_here = std::min<std::uint64_t>(raw.f_bavail, free_all);
  FilesystemSpace space;
  space.used = bytes(raw.f_blocks - free_all);
  space.free = bytes(free_here);
  space.reserved = bytes(free_all - free_here);
  return space;
}

/// A thread of its own, since statvfs on a dead network mount never returns and cannot be
/// interrupted. Shared by the probe and the thread: whichever ends last frees it.
struct FilesystemProbe::Worker {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> path;  // being asked, or to be asked
  bool has_answer = false;
  std::optional<FilesystemSpace> answer;
  bool must_end = false;

  static void run(const std::shared_ptr<Worker>& self, const StatFilesystem& stat) {
    std::unique_lock lock(self->mutex);
    while (true) {
      self->changed.wait(lock, [&] { return self->must_end || (self->path && !self->has_answer); });
      if (self->must_end) return;
      std::optional<FilesystemSpace> answer;
      lock.unlock();
      // Nobody changes the path until it is answered.
      contain_faults("asking a file system for its space", [&] { answer = stat(*self->path); });
      lock.lock();
      self->answer = answer;
      self->has_answer = true;
      self->changed.notify_all();
    }
  }
};

FilesystemProbe::FilesystemProbe(StatFilesystem stat, Duration patience)
    : stat_(std::move(stat)), patience_(patience) {}

FilesystemProbe::~FilesystemProbe() {
  if (worker_) stuck_.push_back(worker_);
  for (const auto& worker : stuck_) {
    const std::lock_guard lock(worker->mutex);
    worker->must_end = true;
    worker->changed.notify_all();
  }
}

void FilesystemProbe::forget_recovered() {
  std::erase_if(stuck_, [](const std::shared_ptr<Worker>& worker) {
    const std::lock_guard lock(worker->mutex);
    if (!worker->has_answer) return false;
    worker->must_end = true;
    worker->changed.notify_all();
    return true;
  });
}

ProbeResult FilesystemProbe::ask_one(const std::string& path) {
  const bool is_waited_for =
      std::any_of(stuck_.begin(), stuck_.end(), [&](const std::shared_ptr<Worker>& worker) {
        const std::lock_guard lock(worker->mutex);
        return worker->path == path;
      });
  // A mount that holds a thread already is not given another: one dead mount costs one thread,
  // however many rounds go by.
  if (is_waited_for || stuck_.size() >= kStuckThreadsMax) return {std::nullopt, true};
  if (!worker_) {
    auto worker = std::make_shared<Worker>();
    try {
      // Detached: nobody can join a thread that hangs in the kernel, and the agent must be able to
      // stop.
      std::thread([worker, stat = stat_] { Worker::run(worker, stat); }).detach();
    } catch (const std::system_error&) {
      return {std::nullopt, false};  // no thread to be had: unknown in this round
    }
    worker_ = std::move(worker);
  }
  std::unique_lock lock(worker_->mutex);
  worker_->path = path;
  worker_->has_answer = false;
  worker_->changed.notify_all();
  if (worker_->changed.wait_for(lock, patience_, [&] { return worker_->has_answer; })) {
    worker_->path.reset();
    return {worker_->answer, false};
  }
  lock.unlock();
  stuck_.push_back(std::move(worker_));
  worker_.reset();
  return {std::nullopt, true};
}

std::vector<ProbeResult> FilesystemProbe::ask(const std::vector<std::string>& paths) {
  forget_recovered();
  std::vector<ProbeResult> results;
  results.reserve(paths.size());
  for (const std::string& path : paths) results.push_back(ask_one(path));
  return results;
}

}  // namespace vigia::agent::host
