// HTTP/1.1 (RFC 9112) on one connection.
#pragma once

#include <memory>

#include "libs/net/internal/core.hpp"

namespace vigia::net::internal {

/// `host` outlives the session. Requests are answered one after another; pipelined ones wait.
std::unique_ptr<ProtocolSession> make_http1_session(SessionHost& host);

}  // namespace vigia::net::internal
