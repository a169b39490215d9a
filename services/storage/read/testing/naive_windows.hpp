// The parts of windows by their definitions, read from all samples: what roll-ups are held to.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/check.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::read {

using Values = std::map<TimestampMs, double>;  ///< by time

/// What PromQL gives for increase, rate or delta of the range (end_ms - width_ms, end_ms], of its
/// samples.
inline std::optional<double> naive_change(const std::vector<Sample>& samples, TimestampMs end_ms,
                                          TimestampMs width_ms, const std::string& function) {
  if (samples.size() < 2) return std::nullopt;
  const bool is_counter = function != "delta";
  double change = samples.back().value - samples.front().value;
  for (std::size_t i = 1; is_counter && i < samples.size(); ++i) {
    if (samples[i].value < samples[i - 1].value) change += samples[i - 1].value;
  }
  const auto seconds = [](TimestampMs ms) { return static_cast<double>(ms) / 1'000; };
  const double covered = seconds(samples.back().timestamp_ms - samples.front().timestamp_ms);
  const double spacing = covered / static_cast<double>(samples.size() - 1);
  double before = seconds(samples.front().timestamp_ms - (end_ms - width_ms));
  double behind = seconds(end_ms - samples.back().timestamp_ms);
  if (before >= spacing * 1.1) before = spacing / 2;
  if (behind >= spacing * 1.1) behind = spacing / 2;
  const double first = samples.front().value;
  if (is_counter && change > 0 && first >= 0) before = std::min(before, covered * (first / change));
  const double stretched = change * ((covered + before + behind) / covered);
  return function == "rate" ? stretched / seconds(width_ms) : stretched;
}

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
  if (part == "increase" || part == "rate" || part == "delta") {
    return naive_change(samples, end_ms, width_ms, part);
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

/// Bit for bit, but for sums and what is dropped: within 1e-12 of `scale`; for what is made of
/// these, 1e-11, since it is stretched.
inline bool is_close(double left, double right, const std::string& part, double scale) {
  if (is_same_value(left, right)) return true;
  const bool is_sum = part == "sum" || part == "dropped";
  const bool is_change = part == "increase" || part == "rate" || part == "delta";
  if (!is_sum && !is_change) return left == right || (std::isnan(left) && std::isnan(right));
  return (std::isnan(left) && std::isnan(right)) ||
         std::abs(left - right) <= (is_sum ? 1e-12 : 1e-11) * scale;
}

}  // namespace vigia::storage::read
