// What the configuration says of the router that is asked, how far back it knows, and of the
// addresses that are shown.
#pragma once

#include <chrono>
#include <string>

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"

namespace vigia::monitor::live {

struct LiveSettings {
  std::string router_url;
  Duration kept = std::chrono::hours(24 * 400);  ///< how long metrics are; 0: for ever
  std::string collector_grpc;                    ///< shown to who adds a node
  std::string collector_http;
  std::string router_public;  ///< where people and their programs ask the router
};

/// Of the keys `router`, `retention` and `public`, but for `public.url` (access/settings.hpp); what
/// cannot be is noted at its key.
LiveSettings read_live(const service::ConfigNode& root);

}  // namespace vigia::monitor::live
