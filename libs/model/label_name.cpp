#include "libs/model/label_name.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "libs/base/utf8.hpp"

namespace vigia {
namespace {

constexpr std::string_view kEscapedBegin = "U__";
constexpr std::size_t kDigitsMax = 6;  // of the last code point, 10FFFF
constexpr int kHexadecimal = 16;

bool is_classic(std::string_view text, bool has_colons) {
  const auto is_first = [has_colons](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (has_colons && c == ':');
  };
  const auto is_further = [&](char c) { return is_first(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && is_first(text.front()) &&
         std::all_of(text.begin(), text.end(), is_further);
}

/// Takes "2e_" from the front, behind its "_"; "" where there is no character so.
std::string take_character(std::string_view& rest) {
  const std::size_t length = rest.find('_');
  if (length == std::string_view::npos || length > kDigitsMax) return {};
  std::uint32_t point = 0;
  const char* end = rest.data() + length;
  const auto [stop, failure] = std::from_chars(rest.data(), end, point, kHexadecimal);
  if (failure != std::errc() || stop != end) return {};
  rest.remove_prefix(length + 1);
  return utf8_of(point);
}

/// Nothing where the text, which stands behind the begin, is not escaped.
std::optional<std::string> unescape(std::string_view rest) {
  std::string name;
  while (!rest.empty()) {
    const char letter = rest.front();
    rest.remove_prefix(1);
    if (letter != '_') {
      name += letter;
    } else if (rest.starts_with('_')) {
      name += letter;
      rest.remove_prefix(1);
    } else {
      const std::string character = take_character(rest);
      if (character.empty()) return std::nullopt;
      name += character;
    }
  }
  return name;
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.find('\0') == std::string_view::npos && is_utf8(text);
}

bool is_classic_label_name(std::string_view text) { return is_classic(text, false); }
bool is_classic_metric_name(std::string_view text) { return is_classic(text, true); }

std::string unescaped_name(std::string_view text) {
  if (!text.starts_with(kEscapedBegin)) return std::string(text);
  auto name = unescape(text.substr(kEscapedBegin.size()));
  return name ? *std::move(name) : std::string(text);
}

}  // namespace vigia
