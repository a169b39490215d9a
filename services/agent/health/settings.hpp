// What the configuration says of the health endpoint.
#pragma once

#include <optional>
#include <string>

#include "libs/net/server.hpp"

namespace vigia::agent::health {

struct HealthSettings {
  std::string listen = "0.0.0.0:8080";
  std::optional<net::TlsServerSettings> tls;
  std::string token;  ///< "": none is asked for
};

}  // namespace vigia::agent::health
