// What the configuration says of an exporter that sends, however it does.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/net/client.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"

namespace vigia::collector::exporters {

struct SenderSettings {
  std::string endpoint;  ///< a URL
  std::vector<std::pair<std::string, std::string>> headers;
  std::string compression;  ///< of OTLP: "gzip", "zstd", "none"
  Duration timeout = std::chrono::seconds(10);
  Duration retry_initial = std::chrono::seconds(1);
  Duration retry_max = std::chrono::seconds(30);
  /// How long what fails alone, while others' data is taken, is kept before it is given up; 0: a
  /// day where required, else 10 minutes.
  Duration give_up_after{0};
  /// What may lie aside of one customer: over it, where required, intake takes no more of it; else
  /// its oldest goes.
  std::uint64_t side_customer_bytes_max = 256ULL << 20U;
  /// What refusals of one customer's data may cost the destination a second, over that its search
  /// waits: delivery/refusal_budget.hpp.
  std::uint64_t refused_bytes_per_second = 16U << 10U;
  std::size_t batch_bytes_max = 1U << 20U;
  std::string ca_file, cert_file, key_file;  ///< tls
  bool tls_skip_verify = false;
};

/// How an endpoint without "http://" or "https://" is taken.
enum class BareEndpoint : std::uint8_t {
  kRefused,
  kTls,  ///< "host:4317", as stock files write it for gRPC: TLS unless they say `insecure`
};

/// Reads what every exporter that sends has; what cannot be is noted at its key.
SenderSettings read_sender(const service::ConfigNode& node, BareEndpoint bare,
                           const config::PartContext& context);

}  // namespace vigia::collector::exporters
