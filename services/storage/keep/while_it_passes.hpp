// Waiting for a store that refuses for now, by whoever can wait, but not for ever.
#pragma once

#include <chrono>
#include <string_view>
#include <thread>

#include "libs/base/result.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::keep {

/// Runs `attempt`, which gives a Result, again while it gives kUnavailable, each second for ten
/// minutes; says once what it waits for. What still refuses then is kDeadline: whoever runs this
/// within an attempt of his own does not wait for the same again, six hundred times.
template <typename Attempt>
auto while_it_passes(std::string_view what, Attempt&& attempt) {
  constexpr int kAttemptsMax = 600;
  for (int attempts = 1;; ++attempts) {
    auto result = attempt();
    const bool is_passing = !result && result.error().code == ErrorCode::kUnavailable;
    if (!is_passing) return result;
    if (attempts == kAttemptsMax) {
      result.error().code = ErrorCode::kDeadline;
      return result;
    }
    if (attempts == 1) {
      service::log_warn("the command waits",
                        {{"for", std::string(what)}, {"why", result.error().message}});
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace vigia::storage::keep
