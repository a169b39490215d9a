// Where a cluster is and who we are there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"

namespace vigia::cassandra {

/// PEM files. A node's certificate must name the address at which it is reached.
struct TlsFiles {
  std::string ca_file;    ///< empty: what this machine trusts
  std::string cert_file;  ///< empty: no certificate of our own
  std::string key_file;
};

struct ConnectionSettings {
  std::vector<std::string> contact_points;  ///< host:port; from one of them the others are learnt
  std::string datacenter;                   ///< empty: any; else no node of another is asked
  std::string user;                         ///< empty: no log-in
  std::string password;
  std::optional<TlsFiles> tls;  ///< nothing: plain text
  std::uint32_t threads = 1;    ///< of the driver; one does some 20,000 rows of 4 KiB a second
  Duration connect_timeout = std::chrono::seconds(10);  ///< of one; at a start three times that
  /// Second requests (StatementSpec::speculative_after) under way, of an owner as many as are free.
  std::uint32_t second_requests_max = 16;
};

}  // namespace vigia::cassandra
