// Expiry times of tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vigia::tenancy {

/// Milliseconds since 1970 of "2027-01-31T23:59:59Z" or "2027-01-31T23:59:59.123Z" (RFC 3339 in
/// UTC;
/// "+00:00" too). Nothing on another form or a day that is not in the calendar.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

}  // namespace vigia::tenancy
