// Whether somebody still waits for an answer.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace vigia::router::access {

/// Shared by the door, which sees the client leave, and by all that works for that client and would
/// better stop then. Any thread.
class Interest {
 public:
  bool is_lost() const;
  /// Tells all who asked to be told, on this thread. Once; later calls do nothing.
  void lose();
  /// `told` is called when the interest is lost, at once where it is; not where `work`, for which
  /// it is, has gone by then. It must not block, and should hold nothing that holds this. One
  /// client may have asked for any number of works: those that have gone are forgotten.
  void on_lost(std::weak_ptr<const void> work, std::function<void()> told);
  /// Who would be told, and perhaps has gone: at most twice as many as there have been at once, and
  /// some.
  std::size_t listeners() const;

 private:
  struct Listener {
    std::weak_ptr<const void> work;
    std::function<void()> told;
  };
  std::vector<Listener> take_gone_locked();

  mutable std::mutex mutex_;
  bool is_lost_ = false;
  std::vector<Listener> listeners_;
  std::size_t looked_through_at_ = 0;  // the next time, when there are so many
};

}  // namespace vigia::router::access
