// What the configuration says of the collector that the agent sends to.
#pragma once

#include <optional>
#include <string>

#include "libs/base/duration.hpp"
#include "libs/net/client.hpp"
#include "libs/otlp/client.hpp"

namespace vigia::agent::sender {

struct CollectorSettings {
  std::string endpoint;  ///< "https://collector.example:4317", no slash at its end
  otlp::Protocol protocol = otlp::Protocol::kGrpc;
  std::string token;                 ///< "": none is sent
  std::string compression = "gzip";  ///< "gzip", "zstd" or "" (written "none")
  Duration timeout = std::chrono::seconds(10);
  std::optional<net::TlsClientSettings> tls;
};

}  // namespace vigia::agent::sender
