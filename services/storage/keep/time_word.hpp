// A time as an operator writes it.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::keep {

/// "2026-11-25T00:00:00Z" (RFC 3339) or Unix seconds, also with a fraction. kInvalid, naming the
/// option, for anything else.
Result<TimestampMs> read_time(const std::string& option, const std::string& text);
/// "2026-11-25", of a day since 1970.
std::string day_text(std::uint32_t day);

}  // namespace vigia::storage::keep
