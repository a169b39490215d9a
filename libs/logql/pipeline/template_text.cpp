#include "libs/logql/pipeline/template_text.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include <fmt/format.h>

#include "libs/base/characters.hpp"
#include "libs/base/utf8.hpp"
#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/find_text.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {
namespace {

constexpr auto kLatin1Lead = '\xC3';  // of À to ÿ in UTF-8
constexpr int kCaseBit = 0x20;

/// Both cases of ASCII and of À to Þ differ by one bit.
std::string with_case(std::string_view text, bool is_upper) {
  std::string made(text);
  for (std::size_t i = 0; i < made.size(); ++i) {
    const char c = made[i];
    const auto low = static_cast<unsigned char>(c | kCaseBit);
    const bool is_ascii = low >= 'a' && low <= 'z' && static_cast<unsigned char>(c) < 0x80;
    // 0x97 and 0xB7 are × and ÷, 0x9F is ß and 0xBF is ÿ.
    const bool is_latin = i > 0 && made[i - 1] == kLatin1Lead && low >= 0xA0 && low <= 0xBE &&
                          low != 0xB7 && static_cast<unsigned char>(c) >= 0x80;
    if (!is_ascii && !is_latin) continue;
    made[i] = static_cast<char>(is_upper ? c & ~kCaseBit : c | kCaseBit);
  }
  return made;
}

/// Bytes of the first `count` characters.
std::size_t bytes_of_first(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; count > 0 && at < text.size(); --count) {
    at += std::max<std::size_t>(1, utf8_length(text.substr(at)));
  }
  return at;
}

std::unordered_set<std::string_view> characters_of(std::string_view text) {
  std::unordered_set<std::string_view> characters;
  while (!text.empty()) {
    const std::size_t length = bytes_of_first(text, 1);
    characters.insert(text.substr(0, length));
    text.remove_prefix(length);
  }
  return characters;
}

bool is_too_long(std::size_t bytes) { return bytes > kFormattedBytesMax; }

std::optional<std::string> if_short(std::string text) {
  if (is_too_long(text.size())) return std::nullopt;
  return text;
}

}  // namespace

std::string lower_case(std::string_view text) { return with_case(text, false); }
std::string upper_case(std::string_view text) { return with_case(text, true); }

std::optional<std::string> replaced(std::string_view text, std::string_view old,
                                    std::string_view by, std::int64_t count) {
  std::string made;
  std::size_t at = 0;
  while (count != 0 && at <= text.size() && !is_too_long(made.size())) {
    std::size_t found = find_text(text.substr(at), old);
    if (found == std::string_view::npos) break;
    found += at;
    made.append(text.substr(at, found - at)).append(by);
    at = found + old.size();
    if (count > 0) --count;
    if (!old.empty()) continue;
    // An empty text stands before each character and at the end.
    const std::size_t step = bytes_of_first(text.substr(at), 1);
    made.append(text.substr(at, step));
    if (step == 0) return if_short(std::move(made));
    at += step;
  }
  made.append(text.substr(std::min(at, text.size())));
  return if_short(std::move(made));
}

std::string trimmed(std::string_view text, std::string_view set, Side side) {
  const std::unordered_set<std::string_view> characters = characters_of(set);
  const auto holds = [&](std::string_view character) { return characters.contains(character); };
  while (side != Side::kRight && !text.empty()) {
    const std::size_t length = bytes_of_first(text, 1);
    if (!holds(text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  while (side != Side::kLeft && !text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) --begin;
    if (!holds(text.substr(begin))) break;
    text.remove_suffix(text.size() - begin);
  }
  return std::string(text);
}

std::string cut(std::int64_t count, std::string_view text) {
  if (count >= 0) {
    return std::string(text.substr(0, bytes_of_first(text, static_cast<std::size_t>(count))));
  }
  const auto length = static_cast<std::int64_t>(count_characters(text));
  if (count <= -length) return std::string(text);
  return std::string(text.substr(bytes_of_first(text, static_cast<std::size_t>(length + count))));
}

std::string part_of(std::int64_t begin, std::int64_t end, std::string_view text) {
  if (begin < 0 && end < 0) return {};
  if (begin < 0) return cut(end, text);
  if (end >= 0 && begin > end) return {};
  const std::size_t from = bytes_of_first(text, static_cast<std::size_t>(begin));
  if (end < 0) return std::string(text.substr(from));
  return cut(end - begin, text.substr(from));
}

std::optional<std::string> repeated(std::int64_t count, std::string_view text) {
  std::string made;
  if (text.empty()) return made;
  if (count > static_cast<std::int64_t>(kFormattedBytesMax / text.size())) return std::nullopt;
  for (; count > 0; --count) made += text;
  return made;
}

std::optional<std::string> indented(std::int64_t count, std::string_view text) {
  const auto pad = repeated(count, " ");
  if (!pad) return std::nullopt;
  auto rest = replaced(text, "\n", "\n" + *pad, -1);
  if (!rest) return std::nullopt;
  return if_short(*pad + *rest);
}

std::optional<std::string> aligned(std::int64_t width, std::string_view text, Side side) {
  const auto length = static_cast<std::int64_t>(count_characters(text));
  if (width < 0) return std::string(text);
  if (length >= width) return cut(side == Side::kLeft || width == 0 ? width : -width, text);
  const auto pad = repeated(width - length, " ");
  if (!pad) return std::nullopt;
  return if_short(side == Side::kLeft ? std::string(text) + *pad : *pad + std::string(text));
}

std::optional<std::string> url_encoded(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (promql::is_word(c) || c == '-' || c == '.' || c == '~') {
      made += c;
    } else if (c == ' ') {
      made += '+';
    } else {
      made += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return if_short(std::move(made));
}

std::optional<std::string> url_decoded(std::string_view text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      made += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const char* end = digits.data() + digits.size();
    const auto [stop, failure] = std::from_chars(digits.data(), end, byte, 16);
    if (digits.size() != 2 || failure != std::errc{} || stop != end) return std::nullopt;
    made += static_cast<char>(byte);
    i += 2;
  }
  return made;
}

}  // namespace vigia::logql::pipeline
