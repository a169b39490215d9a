// Waiting for a store that refuses for now: its disk is full, or a damaged file is being set aside.
#pragma once

#include <atomic>
#include <csignal>
#include <string_view>
#include <thread>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::store {

inline constexpr auto kPatienceStep = std::chrono::milliseconds(100);
inline constexpr auto kPatienceLog = std::chrono::minutes(1);

/// Whether this process' start waits now: for its port, which is open meanwhile. Any thread.
inline std::atomic<bool> is_start_waiting{false};

/// A signal to end waits for the main thread, which is still starting.
inline bool is_asked_to_stop() {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

/// Runs `attempt`, which gives a Result, until it is no passing fault (kUnavailable) that it gives:
/// for starting, where ending would serve nobody. Says once a minute what it waits for.
template <typename Attempt>
auto patiently(std::string_view what, Attempt&& attempt) {
  auto next_log = std::chrono::steady_clock::now() + kPatienceStep * 5;
  while (true) {
    auto result = attempt();
    const bool is_passing = !result && result.error().code == ErrorCode::kUnavailable;
    is_start_waiting = is_passing;
    if (!is_passing || is_asked_to_stop()) return result;
    if (std::chrono::steady_clock::now() >= next_log) {
      service::log_warn("the start waits",
                        {{"for", std::string(what)}, {"why", result.error().message}});
      next_log = std::chrono::steady_clock::now() + kPatienceLog;
    }
    std::this_thread::sleep_for(kPatienceStep);
  }
}

}  // namespace vigia::storage::store
