// A gRPC call in which both sides say more than one message.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::net {

/// One call, from Handler::open_talk until the client has ended it, an answer was an error, or
/// ServerSettings::request_timeout or the client's own deadline is over. For answers that are made
/// at once: on the connection's event loop, one after the other, and only while the client reads
/// what was answered before.
class GrpcTalk {
 public:
  virtual ~GrpcTalk() = default;
  /// The answer to the client's next message, without its frame. An error ends the call with its
  /// code, and what the client has sent behind it is not read. Must not block; what it throws ends
  /// the call with INTERNAL. Who holds memory or time by message counts them.
  virtual Result<std::string> answer(std::string_view message) = 0;
};

}  // namespace vigia::net
