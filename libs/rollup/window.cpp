#include "libs/rollup/window.hpp"

#include <cmath>
#include <initializer_list>
#include <limits>
#include <utility>

#include "libs/base/check.hpp"

namespace vigia::rollup {
namespace {

constexpr TimestampMs kMinuteMs = 60'000;

// Neumaier's sum: what rounding takes from the total is gathered beside it. PromQL adds like this,
// and a plain sum of a day's samples would be off by more than roll-ups may be.
class CompensatedSum {
 public:
  void start() { *this = CompensatedSum(); }
  void add(double value) {
    const double total = total_ + value;
    if (std::isinf(total)) {
      lost_ = 0;  // else infinity less infinity would make a NaN of an infinite sum
    } else if (std::abs(total_) >= std::abs(value)) {
      lost_ += (total_ - total) + value;
    } else {
      lost_ += (value - total) + total_;
    }
    total_ = total;
  }
  double value() const { return std::isinf(total_) ? total_ : total_ + lost_; }

 private:
  double total_ = 0;
  double lost_ = 0;
};

// The bound is taken over from whatever is a number; PromQL's own order of comparing.
void take_min(double& bound, double value) {
  if (value < bound || std::isnan(bound)) bound = value;
}

void take_max(double& bound, double value) {
  if (value > bound || std::isnan(bound)) bound = value;
}

class WindowMaker {
 public:
  explicit WindowMaker(TimestampMs width_ms) : width_ms_(width_ms) {}

  void add(const Sample& sample) {
    if (windows_.empty() || sample.timestamp_ms > windows_.back().end_ms) {
      end_window();
      windows_.push_back({.end_ms = window_end(sample.timestamp_ms, width_ms_), .stale_ms = {}});
    }
    Window& window = windows_.back();
    if (is_stale_mark(sample.value)) {
      window.stale_ms = sample.timestamp_ms;
    } else if (window.count == 0) {
      begin(window, sample);
    } else {
      go_on(window, sample);
    }
  }

  std::vector<Window> finish() {
    end_window();
    return std::move(windows_);
  }

 private:
  void begin(Window& window, const Sample& sample) {
    window.count = 1;
    window.first_ms = window.last_ms = sample.timestamp_ms;
    window.first = window.last = window.min = window.max = sample.value;
    window.stale_ms.reset();
    sum_.start();
    dropped_.start();
    sum_.add(sample.value);
  }

  void go_on(Window& window, const Sample& sample) {
    ++window.count;
    if (sample.value < window.last) {  // false beside a NaN, as in PromQL
      ++window.resets;
      dropped_.add(window.last);
    }
    window.last_ms = sample.timestamp_ms;
    window.last = sample.value;
    take_min(window.min, sample.value);
    take_max(window.max, sample.value);
    window.stale_ms.reset();
    sum_.add(sample.value);
  }

  void end_window() {
    if (windows_.empty() || windows_.back().count == 0) return;
    windows_.back().sum = sum_.value();
    windows_.back().dropped = dropped_.value();
  }

  TimestampMs width_ms_;
  std::vector<Window> windows_;  // the last is under way
  CompensatedSum sum_;
  CompensatedSum dropped_;
};

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
  for (const Sample& sample : samples) maker.add(sample);
  return maker.finish();
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
