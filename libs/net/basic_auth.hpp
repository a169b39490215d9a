// HTTP Basic authentication (RFC 7617), for clients that know nothing else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vigia::net {

/// The password of an Authorization header of that scheme, whatever the user's name is. Nothing on
/// any other header, where it cannot be decoded, and where the password is empty.
std::optional<std::string> basic_password(std::string_view authorization);

}  // namespace vigia::net
