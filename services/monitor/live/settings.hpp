// What the configuration says of the router that is asked, and of the addresses that are shown.
#pragma once

#include <string>

#include "libs/service/config.hpp"

namespace vigia::monitor::live {

struct LiveSettings {
  std::string router_url;
  std::string collector_grpc;  ///< shown to who adds a node
  std::string collector_http;
  std::string router_public;  ///< where people and their programs ask the router
};

/// Of the keys `router` and `public`, but for `public.url` (access/settings.hpp); what cannot be is
/// noted at its key.
LiveSettings read_live(const service::ConfigNode& root);

}  // namespace vigia::monitor::live
