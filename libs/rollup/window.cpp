#include "libs/rollup/window.hpp"

#include <cmath>
#include <initializer_list>
#include <limits>
#include <utility>

#include "libs/base/check.hpp"
#include "libs/rollup/bounds.hpp"
#include "libs/rollup/window_maker.hpp"

namespace vigia::rollup {
namespace {

constexpr TimestampMs kMinuteMs = 60'000;

double sum_of(std::initializer_list<double> values) {
  CompensatedSum sum;
  for (const double value : values) sum.add(value);
  return sum.value();
}

}  // namespace

TimestampMs width_ms(Resolution resolution) {
  CHECK(resolution != Resolution::kRaw);
  if (resolution == Resolution::kFiveMinutes) return 5 * kMinuteMs;
  return resolution == Resolution::kHour ? 60 * kMinuteMs : 24 * 60 * kMinuteMs;
}

TimestampMs window_end(TimestampMs at_ms, TimestampMs width_ms) {
  CHECK(width_ms > 0);
  const TimestampMs rest = at_ms % width_ms;
  if (rest == 0) return at_ms;
  // Rounded up: before 1970 the rest is negative, and division rounds up by itself.
  const TimestampMs missing = rest < 0 ? -rest : width_ms - rest;
  constexpr TimestampMs kMax = std::numeric_limits<TimestampMs>::max();
  return at_ms > kMax - missing ? kMax : at_ms + missing;
}

std::vector<Window> windows_of(std::span<const Sample> samples, TimestampMs width_ms) {
  WindowMaker maker(width_ms);
  std::vector<Window> windows;
  const auto take = [&](const std::optional<Window>& window) {
    if (window.has_value()) windows.push_back(*window);
  };
  for (const Sample& sample : samples) take(maker.add(sample));
  take(maker.finish());
  return windows;
}

Window joined(const Window& earlier, const Window& later) {
  if (later.count == 0) {
    Window all = earlier;
    all.end_ms = later.end_ms;
    if (later.stale_ms.has_value()) all.stale_ms = later.stale_ms;
    return all;
  }
  if (earlier.count == 0) return later;
  Window all = later;
  all.count += earlier.count;
  all.first_ms = earlier.first_ms;
  all.first = earlier.first;
  all.sum = sum_of({earlier.sum, later.sum});
  // From the earlier one on: of 0 and -0 the first stays, as in PromQL.
  all.min = earlier.min;
  all.max = earlier.max;
  take_min(all.min, later.min);
  take_max(all.max, later.max);
  const bool is_reset = later.first < earlier.last;
  all.resets += earlier.resets + (is_reset ? 1 : 0);
  all.dropped = sum_of({earlier.dropped, is_reset ? earlier.last : 0.0, later.dropped});
  return all;
}

std::vector<Window> widened(std::span<const Window> windows, TimestampMs width_ms) {
  std::vector<Window> wide;
  for (const Window& window : windows) {
    // The end lies in the window itself, and so in the wider one.
    const TimestampMs end_ms = window_end(window.end_ms, width_ms);
    if (wide.empty() || wide.back().end_ms != end_ms) {
      wide.push_back(window);
    } else {
      wide.back() = joined(wide.back(), window);
    }
    wide.back().end_ms = end_ms;
  }
  return wide;
}

}  // namespace vigia::rollup
