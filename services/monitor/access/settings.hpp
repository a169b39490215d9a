// What the configuration says of the door that people and their programs come in by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/net/server.hpp"
#include "libs/service/config.hpp"
#include "services/monitor/access/client_address.hpp"

namespace vigia::monitor::access {

struct DoorSettings {
  std::string listen = "127.0.0.1:8090";
  std::optional<net::TlsServerSettings> tls;
  DoorProxies trusted_proxies;
  std::vector<std::string> proxies;  ///< the same as they are written, for the server
  std::string public_url;  ///< what browsers call it, without a path; "" if plain and direct

  /// Browsers come over TLS. A cookie marked Secure is not sent over plain HTTP, so a demo without
  /// TLS could not log in; behind a proxy that ends TLS, `public_url` is what tells.
  bool is_secure() const { return tls.has_value() || public_url.starts_with("https://"); }
};

/// Of the keys `listen`, `tls`, `trusted_proxies` and `public.url`; what cannot be is noted at its
/// key.
DoorSettings read_door(const service::ConfigNode& root);

}  // namespace vigia::monitor::access
