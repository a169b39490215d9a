#include "libs/promql/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/utf8.hpp"

namespace vigia::promql {
namespace {

/// Takes `digits` digits of that base from the front of `text`.
std::optional<std::uint32_t> take_code(std::string_view& text, std::size_t digits, int base) {
  if (text.size() < digits) return std::nullopt;
  std::uint32_t value = 0;
  const char* end = text.data() + digits;
  const auto [stop, failure] = std::from_chars(text.data(), end, value, base);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool append_numeric_escape(std::string& out, char kind, std::string_view& text) {
  std::optional<std::uint32_t> value;
  if (kind == 'x') {
    value = take_code(text, 2, 16);
  } else if (kind == 'u') {
    value = take_code(text, 4, 16);
  } else if (kind == 'U') {
    value = take_code(text, 8, 16);
  } else {
    value = take_code(text, 3, 8);
  }
  if (!value) return false;
  if (kind == 'u' || kind == 'U') {
    // Go has no surrogates in strings: strconv.Unquote refuses them, and so do we.
    const std::string character = utf8_of(*value);
    out += character;
    return !character.empty();
  }
  // \x and octal escapes are bytes, not characters: they may make a string that is no UTF-8.
  if (*value > 0xFF) return false;
  out += static_cast<char>(*value);
  return true;
}

/// The escape after a backslash; `text` begins with the letter.
bool append_escape(std::string& out, std::string_view& text, char quote) {
  if (text.empty()) return false;
  const char kind = text.front();
  if (kind >= '0' && kind <= '7') return append_numeric_escape(out, kind, text);
  text.remove_prefix(1);
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
  const std::size_t letter = kLetters.find(kind);
  if (letter != std::string_view::npos) {
    out += kValues[letter];
    return true;
  }
  if (kind == quote) {
    out += kind;
    return true;
  }
  if (kind == 'x' || kind == 'u' || kind == 'U') return append_numeric_escape(out, kind, text);
  return false;
}

/// Drops the underscores of "1_000"; nothing where one does not stand between two digits. That of
/// "1_e5" does not; in "0x_e" it does.
std::optional<std::string> without_underscores(std::string_view text) {
  const bool is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  const auto is_part = [&](char c) {
    return is_hexadecimal ? is_word(c) && c != '_' : is_digit(c);
  };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
      continue;
    }
    const bool is_between =
        i > 0 && i + 1 < text.size() && is_part(text[i - 1]) && is_part(text[i + 1]);
    if (!is_between) return std::nullopt;
  }
  return plain;
}

std::optional<double> parse_integer(std::string_view digits, int base) {
  std::int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || failure != std::errc{} || stop != end) return std::nullopt;
  return static_cast<double>(value);
}

}  // namespace

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char left, char right) {
           const bool is_upper = left >= 'A' && left <= 'Z';
           return (is_upper ? static_cast<char>(left - 'A' + 'a') : left) == right;
         });
}

bool is_label_name(std::string_view text) {
  return !text.empty() && is_alpha(text.front()) && std::all_of(text.begin(), text.end(), is_word);
}

std::optional<std::string> unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back()) return std::nullopt;
  const char quote = text.front();
  text = text.substr(1, text.size() - 2);
  std::string value;
  if (quote == '`') {
    if (text.find('`') != std::string_view::npos) return std::nullopt;
    return std::string(text);
  }
  while (!text.empty()) {
    const char c = text.front();
    if (c == '\n' || c == quote) return std::nullopt;
    text.remove_prefix(1);
    if (c != '\\') {
      value += c;
    } else if (!append_escape(value, text, quote)) {
      return std::nullopt;
    }
  }
  return value;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (text.starts_with(kReplacement)) {
      out += "\\ufffd";
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text.front();
    } else if (byte == '\n') {
      out += "\\n";
    } else if (length == 0 || byte < 0x20 || byte == 0x7F) {
      // Bytes that are no UTF-8 came from an escape and go back as one: Prometheus then has the
      // bytes that the customer meant, and the text stays readable UTF-8.
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

std::optional<double> parse_number(std::string_view text, Dialect dialect) {
  if (equal_ignoring_case(text, "inf")) return std::numeric_limits<double>::infinity();
  if (equal_ignoring_case(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  std::string plain(text);
  if (text.find('_') != std::string_view::npos) {
    auto stripped = without_underscores(text);
    if (dialect == Dialect::kPrometheus2 || !stripped) return std::nullopt;
    plain = std::move(*stripped);
  }
  const std::string_view digits = plain;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    return parse_integer(digits.substr(2), 16);
  }
  if (digits.size() > 1 && digits.front() == '0') {
    // Go's ParseInt with base 0 reads a leading nought as octal, and Prometheus tries that first:
    // 010 is eight, and 08, which is no octal number, is eight as well.
    if (const auto octal = parse_integer(digits.substr(1), 8)) return octal;
  }
  if (digits.empty() || !(is_digit(digits.front()) || digits.front() == '.')) return std::nullopt;
  double value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, value);
  if (stop != end || failure == std::errc::invalid_argument) return std::nullopt;
  if (failure == std::errc::result_out_of_range) {
    value = std::strtod(plain.c_str(), nullptr);  // 0 or denormal for what is too small
    if (std::isinf(value)) return std::nullopt;
  }
  return value;
}

std::string format_number(double value) {
  // A sign is a node of its own; a negative literal would be printed as one and read back as two.
  CHECK(!std::signbit(value) || std::isnan(value));
  if (std::isinf(value)) return "Inf";
  if (std::isnan(value)) return "NaN";
  return fmt::format("{}", value);
}

}  // namespace vigia::promql
