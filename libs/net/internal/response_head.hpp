// Parts of an answer's head that HTTP/1.1 and HTTP/2 share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/net/message.hpp"

namespace vigia::net::internal {

/// Headers that the connection writes itself; a handler's are left out.
bool is_connection_header(std::string_view name);
/// A value that cannot end its line: control characters become spaces.
std::string clean_value(std::string_view value);
/// The Date header's value, renewed once a second.
const std::string& date_text();
/// 1xx, 204 and 304 never have a body.
bool may_have_body(int status);

/// grpc-message: percent-encoded as the gRPC protocol asks.
std::string encode_grpc_message(std::string_view message);
std::string decode_grpc_message(std::string_view text);

}  // namespace vigia::net::internal
