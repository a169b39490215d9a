// The router's configuration file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/net/server.hpp"
#include "libs/service/config.hpp"
#include "libs/tenancy/directory_source.hpp"
#include "services/router/access/query_limits.hpp"
#include "services/router/cache/settings.hpp"
#include "services/router/stores/settings.hpp"

namespace vigia::router {

struct Settings {
  std::string listen = "127.0.0.1:9095";
  std::optional<net::TlsServerSettings> tls;
  std::vector<std::string> trusted_proxies;
  std::string metrics_listen = "127.0.0.1:9195";
  tenancy::DirectorySettings directory;
  stores::StoresSettings stores;
  std::size_t tails_per_customer_max = 10;  ///< live tails of one customer; more get 429
  cache::CacheSettings cache;
  std::size_t in_flight_max = 64;  ///< requests of one customer under way at once; more get 429
  Duration slow_query = std::chrono::seconds(5);  ///< is in the log; 0: none
  access::QueryLimits query_limits;               ///< of whoever has none of its own, operators too
};

/// Reads all keys and calls ConfigFile::finish. kInvalid with file, line and key.
Result<Settings> read_settings(const service::ConfigFile& file);

/// The keys with their defaults, for --help.
std::string settings_help();

}  // namespace vigia::router
