// How many frames a client may send that make work without carrying a request.
#pragma once

#include <algorithm>

#include "libs/base/clock.hpp"

namespace vigia::net::internal {

/// A bucket of tokens. A gRPC client may ping once a call (bandwidth estimate), so calls refill it;
/// a client that sends control frames alone is held to the rate.
class ControlBudget {
 public:
  explicit ControlBudget(TimePoint now) : filled_(now) {}

  /// False once the client has overdrawn.
  bool spend(double tokens, TimePoint now) {
    const auto passed = std::chrono::duration<double>(now - filled_).count();
    tokens_ = std::min(tokens_ + passed * kTokensPerSecond, kTokensMax) - tokens;
    filled_ = now;
    return tokens_ >= 0;
  }
  void earn(double tokens) { tokens_ = std::min(tokens_ + tokens, kTokensMax); }

 private:
  static constexpr double kTokensMax = 10'000;
  static constexpr double kTokensPerSecond = 500;

  double tokens_ = kTokensMax;
  TimePoint filled_;
};

}  // namespace vigia::net::internal
