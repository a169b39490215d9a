// Texts by their characters: what a person counts, and what a page or a label can show.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vigia {

/// Code points; a byte that is not UTF-8 counts as one.
std::size_t count_characters(std::string_view text);

/// The text in one line: control characters (C0, DEL, C1) and the line and paragraph separators
/// become spaces, bytes that are not UTF-8 U+FFFD, what is longer than `characters_max` is cut.
std::string one_line(std::string_view text, std::size_t characters_max);

}  // namespace vigia
