// The token of a request's Authorization header: read once, here, for every door.
#pragma once

#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::net {

/// "Bearer TOKEN" as RFC 9110 11.4 and RFC 6750 2.1 write it: the scheme in any case, one blank or
/// more, a token68, exact; blanks behind it are not its own. kUnauthenticated for anything else. A
/// view of what was given.
Result<std::string_view> bearer_token(std::string_view authorization);

/// Whether such a header can carry the text: letters, digits and -._~+/, with any number of = at
/// its end. For configurations, which would otherwise hold a token that nobody can show.
bool is_token68(std::string_view text);

}  // namespace vigia::net
