// Work of one thread on all that has come since it was last at it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/fault.hpp"

namespace vigia::storage::ingest {

/// For a store whose sync costs the same for one request as for many. It bounds nothing: whoever
/// adds does. Thread contract: add from any thread; stop and the destructor from one that is not
/// its own.
template <typename Item>
class GatheredWork {
 public:
  /// `work` is called with one item or more; what it throws, told as a fault at `place`, ends that
  /// call alone, and what is left of the items is let go.
  GatheredWork(std::string place, std::function<void(std::vector<Item>&)> work)
      : place_(std::move(place)), work_(std::move(work)), thread_([this] { run(); }) {}
  GatheredWork(const GatheredWork&) = delete;
  GatheredWork& operator=(const GatheredWork&) = delete;
  ~GatheredWork() { stop(); }

  /// Takes it. False, and it stays as it is, once this is being stopped.
  bool add(Item& item) {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return false;
    items_.push_back(std::move(item));
    wake_.notify_one();
    return true;
  }
  /// Ends what has been added. Safe twice.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      wake_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    for (;;) {
      std::vector<Item> items;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return is_stopping_ || !items_.empty(); });
        if (items_.empty()) return;
        items.swap(items_);
      }
      contain_faults(place_, [&] { work_(items); });
    }
  }

  const std::string place_;
  const std::function<void(std::vector<Item>&)> work_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Item> items_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage::ingest
