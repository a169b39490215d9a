// What a head of HTTP/1.1 must not say.
#pragma once

#include <optional>

#include "libs/base/result.hpp"
#include "libs/net/message.hpp"

namespace vigia::net::internal {

/// What is wrong with it (RFC 9112): above all, whatever another reader could frame otherwise.
/// `version`: 10, 11; `is_chunked`: as the parser takes the body.
std::optional<Error> check_http1_head(const RequestHead& head, int version, bool is_chunked);

}  // namespace vigia::net::internal
