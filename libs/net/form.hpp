// Names and values as URLs and forms carry them: percent-encoding, "a=1&b=2".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigia::net {

/// Parameters of a query string or a form body, percent-decoded, in order. Nothing on a broken
/// escape.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view text);
/// "%2d" to "-". Nothing on a broken escape. In a form "+" is a space, in a path it is itself.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// The opposite.
std::string encode_form(const std::vector<std::pair<std::string, std::string>>& parameters);
/// One segment or value, percent-encoded (everything but unreserved characters).
std::string percent_encode(std::string_view text);

}  // namespace vigia::net
