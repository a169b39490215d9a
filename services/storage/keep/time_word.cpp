#include "services/storage/keep/time_word.hpp"

#include <charconv>

#include <fmt/format.h>

#include "libs/base/rfc3339.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage::keep {

Result<TimestampMs> read_time(const std::string& option, const std::string& text) {
  if (const auto time = parse_rfc3339(text)) return *time;
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, seconds);
  constexpr double kSecondsMax = 1e12;
  constexpr double kMsPerSecond = 1'000;
  if (read.ec != std::errc() || read.ptr != end || !(seconds >= 0) || seconds > kSecondsMax) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: {} is no time such as 2026-11-25T00:00:00Z, nor Unix seconds",
                            option, text));
  }
  return static_cast<TimestampMs>(seconds * kMsPerSecond);
}

std::string day_text(std::uint32_t day) {
  const auto text = format_rfc3339(static_cast<TimestampMs>(day) * store::kDayMs);
  constexpr std::size_t kDateLength = 10;
  return text ? text->substr(0, kDateLength) : fmt::format("day {}", day);
}

}  // namespace vigia::storage::keep
