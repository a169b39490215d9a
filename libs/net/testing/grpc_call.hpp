// One unary call, waited for: programs never do, tests do.
#pragma once

#include <future>
#include <memory>
#include <string_view>
#include <utility>

#include "libs/net/client.hpp"

namespace vigia::net {

/// Client::call. Never from an event loop.
inline Result<GrpcReply> call_and_wait(Client& client, ClientRequest request,
                                       std::string_view compression) {
  // Shared with the callback, which the client may still hold when the wait is over.
  auto promise = std::make_shared<std::promise<Result<GrpcReply>>>();
  auto reply = promise->get_future();
  client.call(std::move(request), compression,
              [promise](Result<GrpcReply> result) { promise->set_value(std::move(result)); });
  return reply.get();
}

}  // namespace vigia::net
