// How bad a line is, in the few words that readers of logs know: what senders call it is anything.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigia::router::api::loki {

/// The values of the label `level`. Few, so that a sender's words make no streams of their own.
inline constexpr std::array<std::string_view, 8> kLevels{"critical", "debug", "error",   "fatal",
                                                         "info",     "trace", "unknown", "warn"};

/// One of kLevels: "ERROR", "err", "Error2" → "error"; "unknown" for what is no known word, and for
/// none. OpenTelemetry's four steps of a level are one.
std::string_view level_of(std::string_view severity);

/// A condition on the severity as senders wrote it, `severity=~"…"` as storage's parameter
/// `matcher` takes it, that is met where level_of gives one of `levels`. Nothing where they are all
/// of them: there is nothing to ask for. `levels`: some of kLevels, one at least.
std::optional<std::string> severity_matcher(const std::vector<std::string_view>& levels);

}  // namespace vigia::router::api::loki
