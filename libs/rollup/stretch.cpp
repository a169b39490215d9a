#include "libs/rollup/stretch.hpp"

namespace vigia::rollup {
namespace {

constexpr double kMsPerSecond = 1'000;
// Samples nearer to the edge than so many spacings are taken to go on to it.
constexpr double kReach = 1.1;

double seconds_between(TimestampMs from_ms, TimestampMs to_ms) {
  return static_cast<double>(to_ms - from_ms) / kMsPerSecond;
}

double reached(double to_edge, double spacing) {
  return to_edge >= spacing * kReach ? spacing / 2 : to_edge;
}

}  // namespace

std::optional<double> change_of(const Window& window, TimestampMs width_ms, Change change) {
  if (window.count < 2) return std::nullopt;
  const bool is_counter = change != Change::kDelta;
  const double covered = seconds_between(window.first_ms, window.last_ms);
  const double spacing = covered / static_cast<double>(window.count - 1);
  double result = window.last - window.first;
  if (is_counter) result += window.dropped;
  double before = reached(seconds_between(window.end_ms - width_ms, window.first_ms), spacing);
  if (is_counter && result > 0 && window.first >= 0) {
    // No counter was below zero: when it would have been there is the earliest that it began.
    const double to_zero = covered * (window.first / result);
    if (to_zero < before) before = to_zero;
  }
  const double behind = reached(seconds_between(window.last_ms, window.end_ms), spacing);
  double factor = (covered + before + behind) / covered;
  if (change == Change::kRate) factor /= static_cast<double>(width_ms) / kMsPerSecond;
  return result * factor;
}

}  // namespace vigia::rollup
