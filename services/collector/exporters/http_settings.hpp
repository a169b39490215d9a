// What the configuration says of a destination that is reached by HTTP: for its transport.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"

namespace vigia::collector::exporters {

struct HttpSettings {
  std::string endpoint;  ///< a URL
  std::vector<std::pair<std::string, std::string>> headers;
  std::string compression;  ///< of OTLP: "gzip", "zstd", "none"
  Duration timeout = std::chrono::seconds(10);
  std::string ca_file, cert_file, key_file;  ///< tls
  bool tls_skip_verify = false;
};

/// How an endpoint without "http://" or "https://" is taken.
enum class BareEndpoint : std::uint8_t {
  kRefused,
  kTls,  ///< "host:4317", as stock files write it for gRPC: TLS unless they say `insecure`
};

/// What cannot be is noted at its key.
HttpSettings read_http_settings(const service::ConfigNode& node, BareEndpoint bare,
                                const config::PartContext& context);

}  // namespace vigia::collector::exporters
