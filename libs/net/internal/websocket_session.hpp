// WebSocket on a connection whose HTTP/1.1 request was answered so.
#pragma once

#include <memory>

#include "libs/net/internal/core.hpp"
#include "libs/net/websocket.hpp"

namespace vigia::net::internal {

/// `host` outlives the session; the 101 is in its output already.
std::unique_ptr<ProtocolSession> make_websocket_session(SessionHost& host,
                                                        std::shared_ptr<WebSocketTalk> talk);

}  // namespace vigia::net::internal
