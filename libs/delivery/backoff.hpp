// How long a sender waits before it tries again: one rule for all that sends.
#pragma once

#include <cstdint>
#include <optional>

#include "libs/base/duration.hpp"

namespace vigia::delivery {

struct BackoffSettings {
  Duration initial = std::chrono::seconds(1);
  Duration longest = std::chrono::seconds(30);
};

/// `initial`, doubled so many times, but no more than `longest`.
Duration doubled(Duration initial, std::uint32_t times, Duration longest);

/// After the `failures`-th failure in a row (from 1): the initial delay, doubled with each further
/// one up to the longest, of which one half is certain and the other left to chance, so that many
/// who failed together do not come back together. Never less than the other side asked for, and up
/// to a fifth more than that: many were asked the same. `dice` is any random number.
Duration backoff_wait(const BackoffSettings& settings, std::uint32_t failures,
                      std::optional<Duration> asked, std::uint32_t dice);

}  // namespace vigia::delivery
