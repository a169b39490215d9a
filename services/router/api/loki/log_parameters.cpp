#include "services/router/api/loki/log_parameters.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "libs/base/rfc3339.hpp"

namespace vigia::router::api::loki {
namespace {

using request::Parameters;

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::size_t kSecondDigitsMax = 10;  // what has more is in nanoseconds
constexpr std::int64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / kNsPerSecond;

template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> of_seconds(std::int64_t seconds) {
  if (seconds > kSecondsMax || seconds < -kSecondsMax) return std::nullopt;
  return seconds * kNsPerSecond;
}

std::optional<std::int64_t> parse_decimal_seconds(std::string_view text) {
  const auto seconds = parse_whole<double>(text);
  if (!seconds || !(std::abs(*seconds) < static_cast<double>(kSecondsMax))) return std::nullopt;
  // To milliseconds, as Loki does: a double has no more of today's times.
  const double whole = std::floor(*seconds);
  return static_cast<std::int64_t>(whole) * kNsPerSecond +
         std::llround((*seconds - whole) * 1'000) * kNsPerMs;
}

/// What stands behind the milliseconds of an RFC 3339 time.
std::int64_t ns_behind_ms(std::string_view text) {
  constexpr std::size_t kMsDigits = 3;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return 0;
  std::int64_t unit = kNsPerMs / 10;
  std::int64_t ns = 0;
  for (std::size_t i = dot + 1 + kMsDigits; i < text.size() && unit > 0; ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') break;
    ns += (text[i] - '0') * unit;
  }
  return ns;
}

std::optional<std::int64_t> parse_rfc3339_ns(std::string_view text) {
  const auto ms = parse_rfc3339(text);
  constexpr std::int64_t kMsMax = std::numeric_limits<std::int64_t>::max() / kNsPerMs - 1;
  if (!ms || *ms > kMsMax || *ms < -kMsMax) return std::nullopt;
  return *ms * kNsPerMs + ns_behind_ms(text);
}

Result<std::optional<std::int64_t>> read_time(const Parameters& parameters, std::string_view name) {
  const auto text = parameters.single(name);
  if (!text) return forward(text);
  if (!*text || (*text)->empty()) return std::optional<std::int64_t>();
  const auto time = parse_time_ns(**text);
  if (time) return time;
  return fail(ErrorCode::kInvalid,
              fmt::format("invalid parameter \"{}\": cannot be read as a time; give nanoseconds or "
                          "seconds since 1970, or RFC 3339",
                          name));
}

std::int64_t now_ns(TimestampMs now_ms) { return now_ms * kNsPerMs; }

Result<std::size_t> read_limit(const Parameters& parameters) {
  const auto text = parameters.single("limit");
  if (!text) return forward(text);
  if (!*text || (*text)->empty()) return kLinesDefault;
  const auto limit = parse_whole<std::int64_t>(**text);
  if (!limit) return fail(ErrorCode::kInvalid, "invalid parameter \"limit\": is not a number");
  if (*limit <= 0) return fail(ErrorCode::kInvalid, "limit must be a positive value");
  if (*limit > static_cast<std::int64_t>(kLinesMax)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("max entries limit per query exceeded, limit > max_entries_limit ({} > "
                            "{}): ask for fewer lines, and for the next ones with `cursor`",
                            *limit, kLinesMax));
  }
  return static_cast<std::size_t>(*limit);
}

Result<Direction> read_direction(const Parameters& parameters) {
  const auto text = parameters.single("direction");
  if (!text) return forward(text);
  std::string word = text->value_or("");
  std::transform(word.begin(), word.end(), word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (word.empty() || word == "backward") return Direction::kBackward;
  if (word == "forward") return Direction::kForward;
  return fail(ErrorCode::kInvalid, "invalid direction: it is forward or backward");
}

}  // namespace

std::optional<std::int64_t> parse_time_ns(std::string_view text) {
  if (text.find_first_not_of("+-.0123456789eE") == std::string_view::npos &&
      text.find('.') != std::string_view::npos) {
    return parse_decimal_seconds(text);
  }
  if (const auto whole = parse_whole<std::int64_t>(text)) {
    return text.size() <= kSecondDigitsMax ? of_seconds(*whole) : whole;
  }
  return parse_rfc3339_ns(text);
}

Result<LogRange> read_range(const Parameters& parameters, TimestampMs now_ms,
                            Duration since_default) {
  const auto start = read_time(parameters, "start");
  if (!start) return forward(start);
  const auto end = read_time(parameters, "end");
  if (!end) return forward(end);
  const auto since = parameters.length("since");
  if (!since) return forward(since);
  LogRange range;
  range.end_ns = end->value_or(now_ns(now_ms));
  const std::int64_t before = std::min(range.end_ns, now_ns(now_ms));
  // What lies before 1970 is no line's time.
  const std::int64_t length = since->value_or(since_default).count();
  const std::int64_t begin = std::max<std::int64_t>(before, 0) - length;
  range.start_ns = std::max<std::int64_t>(start->value_or(begin), 0);
  if (range.end_ns <= range.start_ns) {
    return fail(ErrorCode::kInvalid, "end timestamp must not be before or equal to start time");
  }
  return range;
}

Result<void> check_range(const access::QueryLimits& limits, const LogRange& range) {
  return limits.check_range(range.start_ns / kNsPerMs, range.end_ns / kNsPerMs);
}

Result<std::int64_t> read_moment(const Parameters& parameters, TimestampMs now_ms) {
  const auto time = read_time(parameters, "time");
  if (!time) return forward(time);
  return time->value_or(now_ns(now_ms));
}

Result<LineWish> read_wish(const Parameters& parameters) {
  LineWish wish;
  const auto lines = read_limit(parameters);
  if (!lines) return forward(lines);
  wish.lines = *lines;
  const auto direction = read_direction(parameters);
  if (!direction) return forward(direction);
  wish.direction = *direction;
  const auto interval = parameters.length_or_zero("interval");
  if (!interval) return forward(interval);
  wish.interval = interval->value_or(Duration::zero());
  const auto step = parameters.length("step");
  if (!step) return forward(step);
  return wish;
}

Result<Duration> read_step(const Parameters& parameters, const LogRange& range) {
  constexpr std::int64_t kStepsDefault = 250;
  const auto step = parameters.length("step");
  if (!step) return forward(step);
  if (*step) return **step;
  const std::int64_t seconds = (range.end_ns - range.start_ns) / kNsPerSecond / kStepsDefault;
  return std::chrono::seconds(std::max<std::int64_t>(seconds, 1));
}

}  // namespace vigia::router::api::loki
