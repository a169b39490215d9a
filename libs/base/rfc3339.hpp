// Times as people and JSON write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia {

/// Milliseconds since 1970 of "2027-01-31T23:59:59Z", "…T23:59:59.123Z" or "…T23:59:59+01:00" (RFC
/// 3339 §5.6: any offset, T and Z in either case; digits behind the third of a second are cut off).
/// Nothing on another form, a day that is not in the calendar, a leap second, and where the time in
/// UTC lies outside the years 0 to 9999.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

/// "2026-11-25T03:04:05Z", with ".123" where there are milliseconds. Nothing outside the years 0 to
/// 9999, which the form cannot name.
std::optional<std::string> format_rfc3339(std::int64_t time_ms);

}  // namespace vigia
