// The answers of a disk log to several appends, waited for together.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/disk_log/disk_log.hpp"

namespace vigia::collector::tail_sampling {

/// Thread contract: takers run on any thread, the rest on one. A log answers each append once, also
/// when it ends.
class Gathered {
 public:
  explicit Gathered(std::size_t count) : state_(std::make_shared<State>(count)) {}

  disk_log::DiskLog::Done taker(std::size_t place) {
    return [state = state_, place](const Result<disk_log::RecordHeader>& answer) {
      const std::lock_guard lock(state->mutex);
      state->answers[place] = answer;
      if (--state->open == 0) state->done.notify_one();
    };
  }
  const std::vector<Result<disk_log::RecordHeader>>& wait() {
    std::unique_lock lock(state_->mutex);
    state_->done.wait(lock, [this] { return state_->open == 0; });
    return state_->answers;
  }

 private:
  struct State {
    explicit State(std::size_t count) : open(count), answers(count) {}
    std::mutex mutex;
    std::condition_variable done;
    std::size_t open;
    std::vector<Result<disk_log::RecordHeader>> answers;
  };
  std::shared_ptr<State> state_;
};

}  // namespace vigia::collector::tail_sampling
