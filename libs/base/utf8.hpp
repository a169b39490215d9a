// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vigia {

/// Bytes of the character at the front, 1 to 4. 0 where there is none: at the end, and where the
/// bytes are not UTF-8.
std::size_t utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

/// The beginning of the text, of at most so many bytes, that ends with a whole character; where the
/// bytes are not UTF-8 it may end anywhere.
std::string_view utf8_beginning(std::string_view text, std::size_t bytes_max);

/// The bytes of a code point; "" for a number that is none, a surrogate or above U+10FFFF.
std::string utf8_of(std::uint32_t point);

/// The text itself where it is UTF-8; else with every byte that is not as U+FFFD.
std::string to_utf8(std::string_view text);

}  // namespace vigia
