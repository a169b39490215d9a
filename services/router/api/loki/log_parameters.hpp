// The parameters of Loki's HTTP API.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"
#include "services/router/access/query_limits.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::api::loki {

inline constexpr std::size_t kLinesDefault = 100;
inline constexpr std::size_t kLinesMax = 5'000;

/// Nanoseconds since 1970, from `start_ns` on and before `end_ns`; neither below 0.
struct LogRange {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
};

/// "1609746000" (seconds, to ten digits), "1609746000.781" (seconds), "1609746000781000000"
/// (nanoseconds) or RFC 3339. Nothing on anything else, and beyond 1677 and 2262.
std::optional<std::int64_t> parse_time_ns(std::string_view text);

/// start, end and since: an end that is missing is now, a start `since` before it (or before now,
/// where the end lies ahead); `since_default` where that is missing, too. kInvalid for what cannot
/// be read, and where nothing lies between.
Result<LogRange> read_range(const request::Parameters& parameters, TimestampMs now_ms,
                            Duration since_default);

/// access::over_limit's error where it is longer than it may be.
Result<void> check_range(const access::QueryLimits& limits, const LogRange& range);

/// `time`, else now.
Result<std::int64_t> read_moment(const request::Parameters& parameters, TimestampMs now_ms);

enum class Direction : std::uint8_t { kBackward, kForward };

/// What a query asks beside its text and its time.
struct LineWish {
  std::size_t lines = kLinesDefault;
  Direction direction = Direction::kBackward;
  Duration interval{0};  ///< least time between two lines; 0: all
};

/// limit, direction, interval; and step, which is for metric queries alone. kInvalid: wrong ones,
/// and more than kLinesMax lines.
Result<LineWish> read_wish(const request::Parameters& parameters);

/// `step`, else a 250th of the range, a second at least.
Result<Duration> read_step(const request::Parameters& parameters, const LogRange& range);

}  // namespace vigia::router::api::loki
