// What the configuration says of the port that our own programs ask.
#pragma once

#include <string>

#include "libs/service/config.hpp"

namespace vigia::monitor::internal_port {

struct InternalPortSettings {
  std::string listen = "127.0.0.1:8190";
  /// What Prometheus and Alertmanager call it, "http://monitor:8190"; "" for what it listens at.
  std::string url;
  std::string token;  ///< shared with collector, router, storage, Prometheus and Alertmanager
};

/// Of the keys `internal_listen`, `internal_url` and `internal_token`; what cannot be is noted at
/// its key.
InternalPortSettings read_internal_port(const service::ConfigNode& root);

}  // namespace vigia::monitor::internal_port
