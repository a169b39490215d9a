#include "libs/delivery/backoff.hpp"

#include <algorithm>

namespace vigia::delivery {

Duration doubled(Duration initial, std::uint32_t times, Duration longest) {
  // Doubled step by step: shifted at once, a large number of times would overflow.
  Duration delay = std::min(initial, longest);
  for (; times > 0 && delay < longest; --times) delay = std::min(delay * 2, longest);
  return delay;
}

Duration backoff_wait(const BackoffSettings& settings, std::uint32_t failures,
                      std::optional<Duration> asked, std::uint32_t dice) {
  constexpr std::uint32_t kSides = 1000;
  constexpr int kAskedShare = 5;
  const auto by_chance = [side = dice % kSides](Duration most) {
    return most / (kSides - 1) * side;
  };
  const Duration delay =
      doubled(settings.initial, failures > 0 ? failures - 1 : 0, settings.longest);
  const Duration wait = delay - delay / 2 + by_chance(delay / 2);
  if (!asked) return wait;
  return std::max(wait, *asked + by_chance(*asked / kAskedShare));
}

}  // namespace vigia::delivery
