// Windows of one series in few bytes, one column a field. Format: docs/formats/rollup.md.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/rollup/window.hpp"

namespace vigia::rollup {

/// No record holds more: a day of 5 min windows are 288.
inline constexpr std::size_t kRecordWindowsMax = 512;

/// Every bit of them is kept. REQUIRES: they are of one width, in order, as windows_of makes them;
/// one to kRecordWindowsMax; each ends at a whole multiple of its width (far beyond any date
/// window_end cannot say that).
std::string write_windows(std::span<const Window> windows, TimestampMs width_ms);

/// What write_windows wrote: in order, each with its samples within it. Any bytes may be given:
/// kCorrupt on damage. REQUIRES: width_ms > 0.
Result<std::vector<Window>> read_windows(std::string_view bytes, TimestampMs width_ms);

}  // namespace vigia::rollup
