#include "libs/rollup/window_maker.hpp"

#include "libs/rollup/bounds.hpp"

namespace vigia::rollup {

std::optional<Window> WindowMaker::add(const Sample& sample) {
  std::optional<Window> ended;
  if (!window_.has_value() || sample.timestamp_ms > window_->end_ms) {
    ended = finish();
    window_ = Window{.end_ms = window_end(sample.timestamp_ms, width_ms_), .stale_ms = {}};
  }
  if (is_stale_mark(sample.value)) {
    window_->stale_ms = sample.timestamp_ms;
  } else if (window_->count == 0) {
    begin(sample);
  } else {
    go_on(sample);
  }
  return ended;
}

std::optional<Window> WindowMaker::finish() {
  if (window_.has_value() && window_->count > 0) {
    window_->sum = sum_.value();
    window_->dropped = dropped_.value();
  }
  std::optional<Window> ended = window_;
  window_.reset();
  return ended;
}

void WindowMaker::begin(const Sample& sample) {
  Window& window = *window_;
  window.count = 1;
  window.first_ms = window.last_ms = sample.timestamp_ms;
  window.first = window.last = window.min = window.max = sample.value;
  window.stale_ms.reset();
  sum_.start();
  dropped_.start();
  sum_.add(sample.value);
}

void WindowMaker::go_on(const Sample& sample) {
  Window& window = *window_;
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

}  // namespace vigia::rollup
