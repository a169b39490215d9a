#include "libs/rollup/part.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libs/base/check.hpp"

namespace vigia::rollup {
namespace {

constexpr std::array<Resolution, 3> kResolutions = {Resolution::kFiveMinutes, Resolution::kHour,
                                                    Resolution::kDay};

std::optional<Resolution> resolution_named(std::string_view name) {
  for (const Resolution resolution : kResolutions) {
    if (to_string(resolution) == name) return resolution;
  }
  return std::nullopt;
}

double value_of_samples(const Window& window, Part part) {
  switch (part) {
    case Part::kFirst:
      return window.first;
    case Part::kLast:
      return window.last;
    case Part::kCount:
      return static_cast<double>(window.count);
    case Part::kSum:
      return window.sum;
    case Part::kMin:
      return window.min;
    case Part::kMax:
      return window.max;
    case Part::kResets:
      return static_cast<double>(window.resets);
    case Part::kDropped:
      return window.dropped;
    case Part::kFirstTime:
      return seconds_of(window.first_ms);
    case Part::kLastTime:
      return seconds_of(window.last_ms);
    case Part::kStaleTime:
    case Part::kIncrease:
    case Part::kRate:
    case Part::kDelta:
      break;
  }
  CHECK(false);
  return 0;
}

}  // namespace

std::string_view to_string(Part part) { return kPartNames[static_cast<std::size_t>(part)]; }

std::string to_string(const Asked& asked) {
  return fmt::format("{}:{}", to_string(asked.resolution), to_string(asked.part));
}

Result<Asked> parse_asked(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}=\"{}\" is not of the form \"1h:sum\"", kRollupLabel, text));
  }
  const auto resolution = resolution_named(text.substr(0, colon));
  if (!resolution.has_value()) {
    return fail(ErrorCode::kNotFound,
                fmt::format("there are no roll-ups of {}, but of 5m, 1h and 1d; without {} raw "
                            "samples are read",
                            text.substr(0, colon), kRollupLabel));
  }
  const auto part = std::find(kPartNames.begin(), kPartNames.end(), text.substr(colon + 1));
  if (part == kPartNames.end()) {
    return fail(ErrorCode::kNotFound,
                fmt::format("roll-ups have no part {}, but {}", text.substr(colon + 1),
                            fmt::join(kPartNames, ", ")));
  }
  return Asked{*resolution, static_cast<Part>(part - kPartNames.begin())};
}

std::optional<double> value_of(const Window& window, Part part, TimestampMs width_ms) {
  if (part == Part::kStaleTime) {
    if (!window.stale_ms.has_value()) return std::nullopt;
    return seconds_of(*window.stale_ms);
  }
  if (window.count == 0) return std::nullopt;
  if (const auto change = change_in(part)) return change_of(window, width_ms, *change);
  return value_of_samples(window, part);
}

}  // namespace vigia::rollup
