// What the configuration says of the doors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/net/server.hpp"
#include "libs/otlp/paths.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"

namespace vigia::collector::receivers {

/// One door of a receiver.
struct ReceiverSettings {
  std::string id;        ///< "otlp"
  std::string protocol;  ///< "grpc" or "http"; each port speaks both, so this only names it
  bool is_remote_write = false;
  std::string endpoint;
  std::size_t body_bytes_max = 64U << 20U;
  bool is_body_configured = false;  ///< else the memory limit bounds body_bytes_max
  std::optional<net::TlsServerSettings> tls;
  std::vector<std::string> trusted_proxies;
  /// Over HTTP, at both doors of a receiver, since each speaks both.
  vigia::otlp::HttpPaths paths;
};

/// The doors of an otlp receiver; what cannot be is noted at its key.
std::vector<ReceiverSettings> read_otlp_receiver(const service::ConfigNode& node,
                                                 const std::string& id, config::Notes& notes);

/// The one door of a receiver of remote write, whose keys are those of upstream's.
std::vector<ReceiverSettings> read_remote_write_receiver(const service::ConfigNode& node,
                                                         const std::string& id,
                                                         config::Notes& notes);

}  // namespace vigia::collector::receivers
