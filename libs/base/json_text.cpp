#include "libs/base/json_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/utf8.hpp"

namespace vigia {
namespace {

void append_escaped(std::string& out, char letter) {
  switch (letter) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) {
    out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(letter)));
  } else {
    out += letter;
  }
}

/// How many characters from the first on stand in JSON as they are; nearly all text is of these,
/// and is copied at once.
std::size_t plain_length(std::string_view text) {
  const auto is_plain = [](char letter) {
    return letter >= 0x20 && letter < 0x7f && letter != '"' && letter != '\\';
  };
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_plain) -
                                  text.begin());
}

// Of a character below 0x80.
std::size_t escaped_bytes(unsigned char letter) {
  if (letter == '"' || letter == '\\' || letter == '\n' || letter == '\r' || letter == '\t')
    return 2;
  return letter < 0x20 || letter == 0x7f ? 6 : 1;
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_text(out, text);
  return out;
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t plain = plain_length(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      // U+FFFD for each byte that is no UTF-8: JSON is UTF-8 throughout (RFC 8259 §8.1), and a
      // strict reader would throw the whole document away.
      out += "\xef\xbf\xbd";
      text.remove_prefix(1);
    } else if (length == 1) {
      append_escaped(out, text.front());
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  out += '"';
}

std::size_t json_text_bytes(std::string_view text) {
  constexpr std::size_t kReplacement = 3;
  // Where something is no UTF-8 every byte above ASCII counts as one that is replaced: more than it
  // may take, never less.
  const std::size_t other = is_utf8(text) ? 1 : kReplacement;
  std::size_t bytes = 2;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    bytes += code < 0x80 ? escaped_bytes(code) : other;
  }
  return bytes;
}

}  // namespace vigia
