// The three kinds of telemetry.
#pragma once

#include <cstdint>
#include <string_view>

namespace vigia {

enum class Signal : std::uint8_t { kMetrics = 1, kTraces = 2, kLogs = 3 };

/// "metrics", "traces" or "logs": the value of the label `signal`, and the last part of an OTLP
/// path.
constexpr std::string_view to_string(Signal signal) {
  switch (signal) {
    case Signal::kMetrics:
      return "metrics";
    case Signal::kTraces:
      return "traces";
    case Signal::kLogs:
      return "logs";
  }
  return "metrics";
}

}  // namespace vigia
