// gRPC's own framing of messages and states.
#pragma once

#include <string>
#include <vector>

#include "libs/net/message.hpp"

namespace vigia::net::internal {

/// The five bytes before a message.
std::string grpc_prefix(std::size_t message_bytes, bool is_compressed);

/// The code of an answer; one of a handler that set only an HTTP error status is derived from it,
/// so that an error never looks like success.
GrpcCode effective_grpc_code(const Response& response);

/// grpc-status, grpc-message, grpc-status-details-bin.
void append_grpc_trailers(std::vector<Header>& headers, const Response& response);

}  // namespace vigia::net::internal
