// Which stores there are, and how they are asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/net/client.hpp"
#include "services/router/coverage/settings.hpp"
#include "services/router/spool/spool.hpp"
#include "services/router/upstream/lanes.hpp"

namespace vigia::router::stores {

/// One hot Prometheus, or a pair of which each has all. Customers name it in `hot_shard`.
struct HotShard {
  std::string name;
  std::string url;
  std::string other_url = {};  ///< of a pair; else empty

  std::vector<std::string> urls() const {
    return other_url.empty() ? std::vector{url} : std::vector{url, other_url};
  }
  /// Of its Prometheus, as own metrics and the log show it: the shard's, of a pair with "-a" and
  /// "-b" behind it.
  std::string member_name(std::size_t member) const {
    if (other_url.empty()) return name;
    return name + (member == 0 ? "-a" : "-b");
  }
};

struct StoresSettings {
  std::vector<HotShard> hot_shards;
  std::string query_url;   ///< prometheus-query; empty: hot answers everything
  std::string cold_url;    ///< storage; empty: no labels, values, series, traces of the past
  std::string cold_token;  ///< the internal token
  std::optional<net::TlsClientSettings> cold_tls;  ///< where cold_url is https
  std::string cold_known_file;  ///< which store is known; empty: while the process runs
  coverage::CoverageSettings coverage;
  Duration query_timeout = std::chrono::minutes(2);
  upstream::LaneSettings lanes;  ///< requests at one store at once; what is more waits
  /// Of one answer of a store; and of a customer's answers together, arriving or not read yet.
  std::uint64_t answer_bytes_max = 256U << 20U;
  std::uint64_t answers_bytes_total_max = 1U << 30U;  ///< the same of all customers
  spool::SpoolSettings spool;                         ///< where large ones lie
};

}  // namespace vigia::router::stores
