// Characters, strings and numbers as PromQL writes them, and LogQL in part.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/promql/functions.hpp"

namespace vigia::promql {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_word(char c) { return is_alpha(c) || is_digit(c); }

/// `lower` must be lower case.
bool equal_ignoring_case(std::string_view text, std::string_view lower);

/// [a-zA-Z_][a-zA-Z0-9_]*
bool is_label_name(std::string_view text);

/// U+FFFD. As it stands between quotes Prometheus refuses it: its reader of UTF-8 gives the same
/// for what is none.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// The value of a quoted string with its quotes: "…" and '…' with escapes, `…` raw. Nothing on a
/// bad escape.
std::optional<std::string> unquote(std::string_view text);
/// The text in double quotes, so that both dialects read it back byte for byte.
void append_quoted(std::string& out, std::string_view text);

/// The value of a number as Prometheus reads it: decimal, hexadecimal, octal by a leading zero;
/// "1_000" in 3.x only; "inf" and "nan" in any case.
std::optional<double> parse_number(std::string_view text, Dialect dialect);
/// Shortest spelling that reads back as the same value; not for negative numbers.
std::string format_number(double value);

}  // namespace vigia::promql
