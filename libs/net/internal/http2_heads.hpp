// Heads on HTTP/2: of a request, put together field by field, and of an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/net/message.hpp"

namespace vigia::net::internal {

/// One field of a request's head, pseudo-headers too.
void add_field(RequestHead& head, std::string_view name, std::string_view value);

/// What Content-Length says; nothing where it does not say a number.
std::optional<std::uint64_t> content_length(const Headers& headers);

/// The value of grpc-timeout: at most eight digits and a unit (H, M, S, m, u, n).
std::optional<Duration> parse_grpc_timeout(std::string_view text);

/// The fields of an answer's HEADERS frame. The answer is made ready for its DATA frames: a prefix
/// where gRPC wants one, no body where there may be none. A gRPC answer that is a fault says all
/// in this head and has no body; any other ends with trailers. `is_exchange`: its stream frames the
/// messages itself.
std::vector<Header> begin_grpc_answer(Response& response, bool is_exchange);
std::vector<Header> begin_http_answer(Response& response, bool is_head_method);

}  // namespace vigia::net::internal
