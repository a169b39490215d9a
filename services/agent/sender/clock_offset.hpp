// How far this node's wall clock is from the collector's, learnt from the date of its answers.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"

namespace vigia::agent::sender {

/// Seconds since 1970 of an HTTP date (RFC 9110, IMF-fixdate); nothing for anything else.
std::optional<std::int64_t> parse_http_date(std::string_view text);

/// A date has whole seconds, so each answer gives a range of a second and the time that it took;
/// the estimate moves into that range and no further, and settles. Thread contract: any thread.
class ClockOffset {
 public:
  explicit ClockOffset(const Clock& clock) : clock_(clock) {}

  /// When a request is sent.
  struct Asked {
    std::int64_t wall_ns = 0;
    TimePoint steady;
  };
  Asked ask() const { return {clock_.wall_ns(), clock_.steady()}; }
  /// An answer with this `date` header has come. Slow answers say nothing, and neither does one
  /// during which the wall clock was set.
  void note(const Asked& asked, std::string_view date);

  /// Positive: this node is ahead. Nothing before the first answer.
  std::optional<double> seconds() const;

  static constexpr Duration kAnswerMax = std::chrono::seconds(10);
  /// More is told in the log, at most once an hour.
  static constexpr double kWarnSeconds = 30;
  static constexpr Duration kWarnInterval = std::chrono::hours(1);

 private:
  bool may_warn();

  const Clock& clock_;
  mutable std::mutex mutex_;  // guards all below
  std::optional<double> seconds_;
  std::optional<TimePoint> warned_at_;
};

/// "this node's clock is 360 s ahead of the collector's".
std::string describe_offset(double seconds);

}  // namespace vigia::agent::sender
