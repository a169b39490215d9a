// Which other instances are asked for what they have open.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/net/client.hpp"
#include "libs/service/config.hpp"

namespace vigia::storage::peers {

struct PeerSettings {
  std::vector<std::string> urls;                ///< this instance's own may be among them
  std::optional<net::TlsClientSettings> tls;    ///< of those that are https
  Duration patience = std::chrono::seconds(2);  ///< how long one is waited for, once
};

/// Of the keys `peers` and `peers_tls` of `store`.
PeerSettings read_peers(const service::ConfigNode& store);

}  // namespace vigia::storage::peers
