// A text as a JSON string.
#pragma once

#include <string>
#include <string_view>

namespace vigia {

/// The text in double quotes, escaped as RFC 8259 asks; a double-quoted scalar of YAML 1.2 too.
/// Bytes that are not UTF-8 become U+FFFD.
std::string json_text(std::string_view text);

}  // namespace vigia
