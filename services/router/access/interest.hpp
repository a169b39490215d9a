// Whether somebody still waits for an answer.
#pragma once

#include <functional>
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
  /// `told` is called when the interest is lost, at once where it is. It must not block, and should
  /// hold nothing that holds this.
  void on_lost(std::function<void()> told);

 private:
  mutable std::mutex mutex_;
  bool is_lost_ = false;
  std::vector<std::function<void()>> told_;
};

}  // namespace vigia::router::access
