#include "libs/base/characters.hpp"

#include <algorithm>

#include "libs/base/utf8.hpp"

namespace vigia {
namespace {

// What moves the cursor or begins a line somewhere: in a log, a mail's header or a terminal such a
// text would be more than text. C1 and the two separators do so in UTF-8.
bool is_control(std::string_view character) {
  if (character.size() == 1) {
    const auto byte = static_cast<unsigned char>(character.front());
    return byte < 0x20 || byte == 0x7f;
  }
  const bool is_c1 = character.size() == 2 && character[0] == '\xc2' &&
                     static_cast<unsigned char>(character[1]) < 0xa0;
  return is_c1 || character == "\u2028" || character == "\u2029";
}

}  // namespace

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) {
    text.remove_prefix(std::max<std::size_t>(1, utf8_length(text)));
  }
  return count;
}

std::string one_line(std::string_view text, std::size_t characters_max) {
  std::string out;
  for (std::size_t count = 0; !text.empty() && count < characters_max; ++count) {
    const auto length = utf8_length(text);
    const auto character = text.substr(0, std::max<std::size_t>(1, length));
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (is_control(character)) {
      out += ' ';
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

}  // namespace vigia
