// A few threads for work that blocks (database, hashing, neighbours), so that event loops never do.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vigia::monitor {

/// Thread contract: `post` from any thread; start and end from one.
class Workers {
 public:
  /// `queue_max` tasks may wait; a running one does not count.
  Workers(std::size_t threads, std::size_t queue_max);
  ~Workers() { end(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  /// False where too many wait already, or the pool ends; the task is then not kept.
  bool post(std::function<void()> task);
  /// Drops what waits, returns when nothing runs any more. Safe twice.
  void end();

 private:
  void run();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vigia::monitor
