// What the configuration says of the relay.
#pragma once

#include <string>

namespace vigia::agent::relay {

/// Where applications find it.
struct RelaySettings {
  std::string grpc = "127.0.0.1:4317";  ///< "": off
  std::string http = "127.0.0.1:4318";  ///< "": off
};

}  // namespace vigia::agent::relay
