// The connection's side of a Responder.
#pragma once

#include "libs/net/server.hpp"

namespace vigia::net {

/// Where an answer goes. Any thread; called once for each request.
class Responder::Target {
 public:
  virtual ~Target() = default;
  virtual void answer(Response response) = 0;
};

}  // namespace vigia::net
