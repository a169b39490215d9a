// Tells an event loop that a body goes on which had no piece ready.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace vigia::net {

/// Shared by who makes the pieces of a body elsewhere and the server that sends them. Thread
/// contract: any thread.
class StreamWaker {
 public:
  /// A piece, the end or an error is there: the body's source is soon asked again, where its client
  /// has not gone meanwhile. Once too often does no harm.
  void wake() {
    std::function<void()> told;
    {
      const std::lock_guard lock(mutex_);
      told = told_;
    }
    if (told) told();
  }
  /// The server's, once: before the source is asked for the first time. `told` must not block.
  void attach(std::function<void()> told) {
    const std::lock_guard lock(mutex_);
    told_ = std::move(told);
  }

 private:
  std::mutex mutex_;
  std::function<void()> told_;
};

}  // namespace vigia::net
