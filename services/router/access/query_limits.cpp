#include "services/router/access/query_limits.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

namespace vigia::router::access {
namespace {

constexpr std::string_view kMark = "over the limit ";
constexpr std::array<std::string_view, 9> kNames{
    "query_range_seconds", "query_steps",     "query_series",
    "query_samples",       "query_bytes",     "query_seconds",
    "log_query_lines",     "log_query_bytes", "log_query_cpu_seconds"};

/// What takes less of it.
std::string_view help_for(QueryLimit limit) {
  switch (limit) {
    case QueryLimit::kRange:
      return "ask for a shorter time (look-back, offset and subqueries count)";
    case QueryLimit::kSteps:
      return "ask with a longer step, or for a shorter range";
    case QueryLimit::kSeries:
      return "ask with more matchers, or for a shorter time";
    case QueryLimit::kSamples:
      return "ask for fewer series, a shorter range or a longer step";
    case QueryLimit::kBytes:
    case QueryLimit::kSeconds:
      return "ask for less: a shorter time, fewer series, a longer step, a smaller limit";
    case QueryLimit::kLogLines:
    case QueryLimit::kLogBytes:
    case QueryLimit::kLogWork:
      return {};  // whoever looked at lines knows how far it came
  }
  return {};
}

Result<void> check(QueryLimit limit, std::uint64_t most, std::uint64_t found,
                   std::string_view wanted) {
  if (most == 0 || found <= most) return {};
  return tl::unexpected<Error>(over_limit(limit, most, fmt::format(fmt::runtime(wanted), found)));
}

std::uint64_t seconds_of(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

/// A directory may name any number; as long as a duration can be at the most.
Duration duration_of(std::uint64_t seconds) {
  constexpr auto kMost = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(Duration::max()).count());
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, kMost)));
}

}  // namespace

std::string_view name_of(QueryLimit limit) { return kNames[static_cast<std::size_t>(limit)]; }

Error over_limit(QueryLimit limit, std::uint64_t value, std::string_view wanted) {
  const std::string_view help = help_for(limit);
  return {ErrorCode::kForbidden,
          fmt::format("{}{} ({}): {}{}{}. The provider can change the limit", kMark, name_of(limit),
                      value, wanted, help.empty() ? "" : "; ", help)};
}

std::optional<QueryLimit> limit_of(const Error& error) {
  if (error.code != ErrorCode::kForbidden || !error.message.starts_with(kMark)) return std::nullopt;
  std::string_view name = std::string_view(error.message).substr(kMark.size());
  name = name.substr(0, name.find(' '));
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<QueryLimit>(found - kNames.begin());
}

Result<void> QueryLimits::check_range(TimestampMs from_ms, TimestampMs to_ms) const {
  if (range <= Duration::zero() || to_ms <= from_ms) return {};
  // Without signs: the two may lie further apart than a signed number reaches.
  const std::uint64_t length_ms =
      static_cast<std::uint64_t>(to_ms) - static_cast<std::uint64_t>(from_ms);
  const auto most_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(range).count());
  if (length_ms <= most_ms) return {};
  constexpr std::uint64_t kMsPerSecond = 1'000;
  const std::uint64_t seconds = length_ms / kMsPerSecond + (length_ms % kMsPerSecond > 0 ? 1 : 0);
  return tl::unexpected<Error>(over_limit(
      QueryLimit::kRange, seconds_of(range),
      fmt::format("from the earliest to the latest time that it touches are {} seconds", seconds)));
}

Result<void> QueryLimits::check_steps(std::uint64_t wanted) const {
  return check(QueryLimit::kSteps, steps, wanted, "the query has {} steps");
}

Result<void> QueryLimits::check_series(std::uint64_t found) const {
  return check(QueryLimit::kSeries, series, found, "there are at least {} series");
}

Result<void> QueryLimits::check_samples(std::uint64_t held) const {
  return check(QueryLimit::kSamples, samples, held,
               "the query holds {} samples of a store at once");
}

Result<void> QueryLimits::check_bytes(std::uint64_t answered) const {
  return check(QueryLimit::kBytes, bytes, answered, "the answer has {} bytes");
}

Result<void> QueryLimits::check_log_lines(std::uint64_t looked_at) const {
  return check(QueryLimit::kLogLines, log_lines, looked_at, "the query looked at {} lines");
}

std::optional<TimestampMs> QueryLimits::first_of(TimestampMs end_ms) const {
  if (range <= Duration::zero()) return std::nullopt;
  const TimestampMs length = std::chrono::duration_cast<std::chrono::milliseconds>(range).count();
  constexpr TimestampMs kFirst = std::numeric_limits<TimestampMs>::min();
  return end_ms < kFirst + length ? kFirst : end_ms - length;
}

QueryLimits limits_of(const tenancy::Limits& own, const QueryLimits& usual) {
  QueryLimits limits = usual;
  const auto take = [](std::uint64_t given, std::uint64_t& value) {
    if (given > 0) value = given;
  };
  const auto take_seconds = [](std::uint64_t given, Duration& value) {
    if (given > 0) value = duration_of(given);
  };
  take_seconds(own.query_range_seconds, limits.range);
  take(own.query_steps, limits.steps);
  take(own.query_series, limits.series);
  take(own.query_samples, limits.samples);
  take(own.query_bytes, limits.bytes);
  take_seconds(own.query_seconds, limits.time);
  take_seconds(own.query_seconds, limits.log_time);
  take(own.log_query_lines, limits.log_lines);
  take(own.log_query_bytes, limits.log_bytes);
  take_seconds(own.log_query_cpu_seconds, limits.log_work);
  return limits;
}

}  // namespace vigia::router::access
