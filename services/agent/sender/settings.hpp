// What the configuration says of the collector that the agent sends to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/duration.hpp"
#include "libs/net/client.hpp"

namespace vigia::agent::sender {

enum class Protocol : std::uint8_t { kGrpc, kHttp };

struct CollectorSettings {
  std::string endpoint;  ///< "https://collector.example:4317", no slash at its end
  Protocol protocol = Protocol::kGrpc;
  std::string token;                 ///< "": none is sent
  std::string compression = "gzip";  ///< "gzip", "zstd" or "" (written "none")
  Duration timeout = std::chrono::seconds(10);
  std::optional<net::TlsClientSettings> tls;
};

}  // namespace vigia::agent::sender
