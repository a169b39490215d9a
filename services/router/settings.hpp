// The router's configuration file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/net/server.hpp"
#include "libs/service/config.hpp"
#include "libs/tenancy/directory_source.hpp"
#include "services/router/upstream/lanes.hpp"

namespace vigia::router {

/// Requests at one store at once, whatever the configuration says; as many connections are kept.
inline constexpr std::size_t kRequestsAtStoreMost = 256;

/// One hot Prometheus. Customers name it in `hot_shard`.
struct HotShard {
  std::string name;
  std::string url;
};

struct Settings {
  std::string listen = "127.0.0.1:9095";
  std::optional<net::TlsServerSettings> tls;
  std::vector<std::string> trusted_proxies;
  std::string metrics_listen = "127.0.0.1:9195";
  tenancy::DirectorySettings directory;
  std::vector<HotShard> hot_shards;
  std::string query_url;   ///< prometheus-query; empty: hot answers everything
  std::string cold_url;    ///< storage; empty: no labels, values, series and traces of the past
  std::string cold_token;  ///< the internal token
  std::string cold_known_file;            ///< which store is known; empty: while the process runs
  Duration edge = std::chrono::days(30);  ///< how far back hot is asked at most
  Duration heartbeat_poll = std::chrono::seconds(2);
  Duration heartbeat_gap_max = std::chrono::seconds(150);  ///< beats come once a minute
  Duration query_timeout = std::chrono::minutes(2);
  std::size_t in_flight_max = 64;  ///< requests of one customer under way at once; more get 429
  upstream::LaneSettings lanes;    ///< requests at one store at once; what is more waits
  /// Of one answer of a store; and of a customer's answers together, arriving or not read yet.
  std::uint64_t answer_bytes_max = 256U << 20U;
  std::uint64_t answers_bytes_total_max = 1U << 30U;  ///< the same of all customers
};

/// Reads all keys and calls ConfigFile::finish. kInvalid with file, line and key.
Result<Settings> read_settings(const service::ConfigFile& file);

/// The keys with their defaults, for --help.
std::string settings_help();

}  // namespace vigia::router
