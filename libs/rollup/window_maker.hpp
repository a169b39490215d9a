// Windows of samples that come one by one: for whoever does not hold all of them at once.
#pragma once

#include <optional>

#include "libs/rollup/compensated_sum.hpp"
#include "libs/rollup/window.hpp"

namespace vigia::rollup {

/// Thread contract: one thread.
class WindowMaker {
 public:
  /// REQUIRES: width_ms > 0.
  explicit WindowMaker(TimestampMs width_ms) : width_ms_(width_ms) {}

  /// The window before, where the sample begins another. REQUIRES: it is later than all before it.
  std::optional<Window> add(const Sample& sample);
  /// The last window, where there is one; then it begins anew.
  std::optional<Window> finish();

 private:
  void begin(const Sample& sample);
  void go_on(const Sample& sample);

  TimestampMs width_ms_;
  std::optional<Window> window_;  // under way
  CompensatedSum sum_;
  CompensatedSum dropped_;
};

}  // namespace vigia::rollup
