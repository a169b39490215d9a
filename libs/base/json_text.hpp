// A text as a JSON string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vigia {

/// The text in double quotes, escaped as RFC 8259 asks; a double-quoted scalar of YAML 1.2 too.
/// Bytes that are not UTF-8 become U+FFFD.
std::string json_text(std::string_view text);
void append_json_text(std::string& out, std::string_view text);

/// The bytes of json_text, without making it; at least these where the text is not UTF-8.
std::size_t json_text_bytes(std::string_view text);

}  // namespace vigia
