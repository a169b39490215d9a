// Numbers, lengths of time and sizes that stand in labels.
#pragma once

#include <optional>
#include <string_view>

namespace vigia::logql::pipeline {

/// As Go reads a float: decimal with sign and exponent, "inf", "nan" in any case.
std::optional<double> number_of(std::string_view value);
/// In seconds: "1h30m", "250us", "-2s", and "1d", "1w", "2y", which Go does not know.
std::optional<double> seconds_of(std::string_view value);
/// In bytes: "512", "20KB", "1.5 MiB", "3k"; commas between digits are passed over.
std::optional<double> bytes_of(std::string_view value);

}  // namespace vigia::logql::pipeline
