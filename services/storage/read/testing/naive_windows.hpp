// The parts of windows by their definitions, read from all samples: what roll-ups are held to.
#pragma once

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/check.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::read {

using Values = std::map<TimestampMs, double>;  ///< by time

/// Of the samples in (end_ms - width_ms, end_ms] alone.
inline std::optional<double> naive_part(const Values& all, TimestampMs end_ms, TimestampMs width_ms,
                                        const std::string& part) {
  const auto from = all.upper_bound(end_ms - width_ms);
  const auto to = all.upper_bound(end_ms);
  if (from == to) return std::nullopt;
  const auto [last_ms, last_value] = *std::prev(to);
  if (part == "stale_time") {
    if (!is_stale_mark(last_value)) return std::nullopt;
    return static_cast<double>(last_ms) / 1'000;
  }
  std::vector<Sample> samples;
  for (auto at = from; at != to; ++at) {
    if (!is_stale_mark(at->second)) samples.push_back({at->first, at->second});
  }
  if (samples.empty()) return std::nullopt;
  long double sum = 0;
  double min = NAN;
  double max = NAN;
  double resets = 0;
  double dropped = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double value = samples[i].value;
    sum += value;
    if (std::isnan(min) || value < min) min = value;
    if (std::isnan(max) || value > max) max = value;
    if (i == 0 || !(value < samples[i - 1].value)) continue;
    ++resets;
    dropped += samples[i - 1].value;
  }
  const std::map<std::string, double> parts = {
      {"first", samples.front().value},
      {"last", samples.back().value},
      {"count", static_cast<double>(samples.size())},
      {"sum", static_cast<double>(sum)},
      {"min", min},
      {"max", max},
      {"resets", resets},
      {"dropped", dropped},
      {"first_time", static_cast<double>(samples.front().timestamp_ms) / 1'000},
      {"last_time", static_cast<double>(samples.back().timestamp_ms) / 1'000}};
  CHECK(parts.contains(part));
  return parts.at(part);
}

/// Of all windows that have their stamp (end - 1) from from_ms to to_ms.
inline Values naive_windows(const Values& all, TimestampMs from_ms, TimestampMs to_ms,
                            TimestampMs width_ms, const std::string& part) {
  Values windows;
  if (all.empty()) return windows;
  const TimestampMs begin_ms = all.begin()->first / width_ms * width_ms;
  for (TimestampMs end_ms = begin_ms; end_ms - width_ms < all.rbegin()->first; end_ms += width_ms) {
    if (end_ms - 1 < from_ms || end_ms - 1 > to_ms) continue;
    const auto value = naive_part(all, end_ms, width_ms, part);
    if (value.has_value()) windows.emplace(end_ms - 1, *value);
  }
  return windows;
}

/// Bit for bit, but for sums and what is dropped: within 1e-12 of `scale`.
inline bool is_close(double left, double right, const std::string& part, double scale) {
  if (is_same_value(left, right)) return true;
  const bool is_sum = part == "sum" || part == "dropped";
  if (!is_sum) return left == right || (std::isnan(left) && std::isnan(right));
  return (std::isnan(left) && std::isnan(right)) || std::abs(left - right) <= 1e-12 * scale;
}

}  // namespace vigia::storage::read
