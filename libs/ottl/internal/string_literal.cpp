#include "libs/ottl/internal/string_literal.hpp"

#include <charconv>
#include <cstdint>
#include <system_error>

#include "libs/base/utf8.hpp"

namespace vigia::ottl::internal {
namespace {

/// So many digits of the base at the front, taken off.
std::optional<std::uint32_t> take_number(std::string_view& text, std::size_t digits, int base) {
  if (text.size() < digits) return std::nullopt;
  std::uint32_t number = 0;
  const char* end = text.data() + digits;
  const auto read = std::from_chars(text.data(), end, number, base);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

bool append_byte(std::string& out, std::optional<std::uint32_t> number) {
  if (!number || *number > 0xff) return false;
  out += static_cast<char>(*number);
  return true;
}

bool append_point(std::string& out, std::optional<std::uint32_t> number) {
  const std::string bytes = number ? utf8_of(*number) : std::string();
  out += bytes;
  return !bytes.empty();
}

/// What follows a backslash.
bool append_escape(std::string& out, std::string_view& text) {
  if (text.empty()) return false;
  const char kind = text.front();
  if (kind >= '0' && kind <= '7') return append_byte(out, take_number(text, 3, 8));
  text.remove_prefix(1);
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  if (const std::size_t at = kLetters.find(kind); at != std::string_view::npos) {
    out += kMeanings[at];
    return true;
  }
  if (kind == 'x') return append_byte(out, take_number(text, 2, 16));
  if (kind == 'u') return append_point(out, take_number(text, 4, 16));
  return kind == 'U' && append_point(out, take_number(text, 8, 16));
}

}  // namespace

std::optional<std::string> unquoted(std::string_view literal) {
  if (literal.size() < 2) return std::nullopt;
  std::string_view text = literal.substr(1, literal.size() - 2);
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\') {
      out += c;
    } else if (!append_escape(out, text)) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace vigia::ottl::internal
