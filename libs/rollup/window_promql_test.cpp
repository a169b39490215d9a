// What PromQL makes of a range of samples, from the samples and from the windows: the same. The
// left side of each comparison is written from the definition of the function, over samples alone;
// the right side is the column "from" of the table in README.md.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "libs/rollup/testing/random_samples.hpp"
#include "libs/rollup/window.hpp"

namespace vigia::rollup {
namespace {

constexpr double kTolerance = 1e-12;
constexpr Resolution kResolutions[] = {Resolution::kFiveMinutes, Resolution::kHour,
                                       Resolution::kDay};

// (from_ms, to_ms], as a range selector sees it.
struct Range {
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;
};

std::vector<Sample> samples_in(const std::vector<Sample>& samples, const Range& range) {
  std::vector<Sample> found;
  for (const Sample& sample : samples) {
    if (sample.timestamp_ms <= range.from_ms || sample.timestamp_ms > range.to_ms) continue;
    if (!is_stale_mark(sample.value)) found.push_back(sample);
  }
  return found;
}

std::optional<Window> joined_in(const std::vector<Window>& windows, const Range& range) {
  std::optional<Window> all;
  for (const Window& window : windows) {
    if (window.end_ms <= range.from_ms || window.end_ms > range.to_ms) continue;
    all = all.has_value() ? joined(*all, window) : window;
  }
  return all;
}

bool is_close(double left, double right, double magnitude) {
  if (std::isnan(left) || std::isnan(right)) return std::isnan(left) && std::isnan(right);
  return left == right || std::abs(left - right) <= kTolerance * magnitude;
}

bool is_same(double left, double right) { return is_close(left, right, 0); }

double magnitude_of(const std::vector<Sample>& samples) {
  double sum = 0;
  for (const Sample& sample : samples) sum += std::isnan(sample.value) ? 0 : std::abs(sample.value);
  return sum;
}

// increase, rate and delta stretch what lies between the outer samples over the range.
struct Stretch {
  double change = 0;
  double first = 0;
  TimestampMs first_ms = 0;
  TimestampMs last_ms = 0;
  std::size_t count = 0;
};

double stretched(const Stretch& of, const Range& range, bool is_counter) {
  const double covered = static_cast<double>(of.last_ms - of.first_ms) / 1000;
  const double spacing = covered / static_cast<double>(of.count - 1);
  double before = static_cast<double>(of.first_ms - range.from_ms) / 1000;
  double behind = static_cast<double>(range.to_ms - of.last_ms) / 1000;
  if (before >= spacing * 1.1) before = spacing / 2;
  if (behind >= spacing * 1.1) behind = spacing / 2;
  if (is_counter && of.change > 0 && of.first >= 0) {
    before = std::min(before, covered * (of.first / of.change));
  }
  return of.change * ((covered + before + behind) / covered);
}

double change_of(const std::vector<Sample>& samples, bool is_counter) {
  double change = samples.back().value - samples.front().value;
  for (std::size_t i = 1; is_counter && i < samples.size(); ++i) {
    if (samples[i].value < samples[i - 1].value) change += samples[i - 1].value;
  }
  return change;
}

std::uint64_t resets_of(const std::vector<Sample>& samples) {
  std::uint64_t resets = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (samples[i].value < samples[i - 1].value) ++resets;
  }
  return resets;
}

double extreme_of(const std::vector<Sample>& samples, bool is_max) {
  double bound = samples.front().value;
  for (const Sample& sample : samples) {
    const bool is_beyond = is_max ? sample.value > bound : sample.value < bound;
    if (is_beyond || std::isnan(bound)) bound = sample.value;
  }
  return bound;
}

double sum_of(const std::vector<Sample>& samples) {
  // In more digits than a double has: nearer to the truth than any way to add doubles.
  long double sum = 0;
  for (const Sample& sample : samples) sum += static_cast<long double>(sample.value);
  return static_cast<double>(sum);
}

void expect_equal_stretches(const std::vector<Sample>& samples, const Window& window,
                            const Range& range) {
  if (samples.size() < 2) return;  // then PromQL answers nothing, and count says so
  for (const bool is_counter : {false, true}) {
    const double change = window.last - window.first + (is_counter ? window.dropped : 0);
    const double left =
        stretched({change_of(samples, is_counter), samples.front().value,
                   samples.front().timestamp_ms, samples.back().timestamp_ms, samples.size()},
                  range, is_counter);
    const double right = stretched(
        {change, window.first, window.first_ms, window.last_ms, window.count}, range, is_counter);
    RC_ASSERT(is_close(left, right, 10 * magnitude_of(samples)));
  }
}

void expect_equal(const std::vector<Sample>& samples, const std::optional<Window>& window,
                  const Range& range) {
  RC_ASSERT(samples.size() == (window.has_value() ? window->count : 0));
  if (samples.empty()) return;
  RC_ASSERT(samples.front().timestamp_ms == window->first_ms);
  RC_ASSERT(samples.back().timestamp_ms == window->last_ms);
  RC_ASSERT(is_same(samples.front().value, window->first));
  RC_ASSERT(is_same(samples.back().value, window->last));
  RC_ASSERT(is_same(extreme_of(samples, false), window->min));
  RC_ASSERT(is_same(extreme_of(samples, true), window->max));
  RC_ASSERT(is_close(sum_of(samples), window->sum, magnitude_of(samples)));
  RC_ASSERT(resets_of(samples) == window->resets);
  expect_equal_stretches(samples, *window, range);
}

Range random_range(const std::vector<Sample>& samples, TimestampMs width, std::mt19937_64& random) {
  const TimestampMs first = window_end(samples.front().timestamp_ms, width) - width;
  const TimestampMs last = window_end(samples.back().timestamp_ms, width);
  const auto windows = static_cast<std::uint64_t>((last - first) / width);
  const auto from = first + static_cast<TimestampMs>(random() % windows) * width;
  const auto left = static_cast<std::uint64_t>((last - from) / width);
  return {from, from + static_cast<TimestampMs>(1 + random() % left) * width};
}

// C44, C47: whatever lies on an edge, and wherever a counter begins anew.
RC_GTEST_PROP(WindowPromqlTest, EveryRangeOfWholeWindowsEqualsItsSamples, (std::uint64_t seed)) {
  std::mt19937_64 random(seed);
  const std::vector<Sample> samples = random_samples(seed);
  for (const Resolution resolution : kResolutions) {
    const TimestampMs width = width_ms(resolution);
    const std::vector<Window> windows = windows_of(samples, width);
    for (int i = 0; i < 10; ++i) {
      const Range range = random_range(samples, width, random);
      expect_equal(samples_in(samples, range), joined_in(windows, range), range);
    }
  }
}

// An instant selector sees the last sample within its look-back, and nothing behind a stale mark.
RC_GTEST_PROP(WindowPromqlTest, AtAnEndOfAWindowTheLastSampleOrStaleMarkIsKnown,
              (std::uint64_t seed)) {
  const std::vector<Sample> samples = random_samples(seed);
  const TimestampMs width = width_ms(Resolution::kFiveMinutes);
  for (const Window& window : windows_of(samples, width)) {
    const auto after = std::upper_bound(
        samples.begin(), samples.end(), window.end_ms,
        [](TimestampMs at, const Sample& sample) { return at < sample.timestamp_ms; });
    RC_ASSERT(after != samples.begin());
    const Sample& newest = *std::prev(after);
    RC_ASSERT(is_stale_mark(newest.value) == window.stale_ms.has_value());
    RC_ASSERT(newest.timestamp_ms == window.stale_ms.value_or(window.last_ms));
  }
}

bool is_same(const Window& left, const Window& right, double magnitude) {
  return left.end_ms == right.end_ms && left.count == right.count &&
         left.first_ms == right.first_ms && left.last_ms == right.last_ms &&
         is_same(left.first, right.first) && is_same(left.last, right.last) &&
         is_same(left.min, right.min) && is_same(left.max, right.max) &&
         is_close(left.sum, right.sum, magnitude) && left.resets == right.resets &&
         is_close(left.dropped, right.dropped, magnitude) && left.stale_ms == right.stale_ms;
}

RC_GTEST_PROP(WindowPromqlTest, WiderWindowsAreTheSameOfSamplesAndOfNarrowOnes,
              (std::uint64_t seed)) {
  const std::vector<Sample> samples = random_samples(seed);
  const double magnitude = magnitude_of(samples);
  std::vector<Window> windows = windows_of(samples, width_ms(Resolution::kFiveMinutes));
  for (const Resolution resolution : {Resolution::kHour, Resolution::kDay}) {
    const std::vector<Window> direct = windows_of(samples, width_ms(resolution));
    windows = widened(windows, width_ms(resolution));
    RC_ASSERT(windows.size() == direct.size());
    for (std::size_t i = 0; i < direct.size(); ++i) {
      RC_ASSERT(is_same(windows[i], direct[i], magnitude));
    }
  }
}

// Samples come late: the windows that they lie in are made anew, and no other.
RC_GTEST_PROP(WindowPromqlTest, MadeAnewWhereLateSamplesCameTheyAreThoseOfAllSamples,
              (std::uint64_t seed)) {
  std::mt19937_64 random(seed);
  const std::vector<Sample> samples = random_samples(seed);
  const TimestampMs width = width_ms(Resolution::kHour);
  std::vector<Sample> in_time;
  std::vector<Sample> late;
  for (const Sample& sample : samples) (random() % 4 == 0 ? late : in_time).push_back(sample);
  std::map<TimestampMs, Window> kept;
  for (const Window& window : windows_of(in_time, width)) kept[window.end_ms] = window;
  for (const Window& touched : windows_of(late, width)) {
    const TimestampMs end = touched.end_ms;
    std::vector<Sample> inside;
    std::copy_if(samples.begin(), samples.end(), std::back_inserter(inside), [&](const Sample& s) {
      return s.timestamp_ms > end - width && s.timestamp_ms <= end;
    });
    kept[end] = windows_of(inside, width).at(0);
  }
  const std::vector<Window> direct = windows_of(samples, width);
  RC_ASSERT(kept.size() == direct.size());
  for (const Window& window : direct) RC_ASSERT(is_same(kept.at(window.end_ms), window, 0));
}

}  // namespace
}  // namespace vigia::rollup
