// The connection's side of a Responder.
#pragma once

#include "libs/net/responder.hpp"

namespace vigia::net {

/// Where an answer goes. Any thread; `answer` is called once for each request.
class Responder::Target {
 public:
  virtual ~Target() = default;
  virtual void answer(Response response) = 0;
  /// See Responder::on_gone. What has no client behind it tells nothing.
  virtual void on_gone(Task<void()> /*told*/) {}
};

}  // namespace vigia::net
