// What an HTTP response means as the answer to a unary gRPC call.
#pragma once

#include "libs/net/client.hpp"

namespace vigia::net::internal {

/// The request as gRPC sends it: framed, compressed, with gRPC's own headers.
Result<ClientRequest> grpc_request(ClientRequest request, std::string_view compression);

/// See Client::call.
Result<GrpcReply> grpc_reply(ClientResponse response, std::size_t bytes_max);

}  // namespace vigia::net::internal
