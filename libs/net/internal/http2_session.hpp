// HTTP/2 (RFC 9113) and gRPC's unary calls on one connection, on nghttp2.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "libs/net/internal/core.hpp"

namespace vigia::net::internal {

/// What every HTTP/2 client sends first.
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// `host` outlives the session.
std::unique_ptr<ProtocolSession> make_http2_session(SessionHost& host);

/// The value of grpc-timeout: at most eight digits and a unit (H, M, S, m, u, n).
std::optional<Duration> parse_grpc_timeout(std::string_view text);

}  // namespace vigia::net::internal
