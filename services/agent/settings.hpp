// The agent's configuration: keys, defaults and checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "libs/service/config.hpp"
#include "services/agent/host/host_reader.hpp"
#include "services/agent/host/identity.hpp"

namespace vigia::agent {

enum class Protocol : std::uint8_t { kGrpc, kHttp };

struct CollectorSettings {
  std::string endpoint;  ///< "https://collector.example:4317", no slash at its end
  Protocol protocol = Protocol::kGrpc;
  std::string token;                 ///< "": none is sent
  std::string compression = "gzip";  ///< "gzip", "zstd" or "" (written "none")
  Duration timeout = std::chrono::seconds(10);
  std::optional<net::TlsClientSettings> tls;
};

struct HealthSettings {
  std::string listen = "0.0.0.0:8080";
  std::optional<net::TlsServerSettings> tls;
  std::string token;  ///< "": none is asked for
};

struct RelaySettings {
  std::string grpc = "127.0.0.1:4317";  ///< "": off
  std::string http = "127.0.0.1:4318";  ///< "": off
};

struct BufferSettings {
  std::string directory = "/var/lib/vigia-agent";
  std::uint64_t bytes_max = 512ULL << 20U;
  Duration age_max = std::chrono::hours(24);
};

struct Settings {
  CustomerId customer;
  std::string customer_name;
  NodeId node;
  std::string region;
  std::string environment;
  CollectorSettings collector;
  Duration interval = std::chrono::seconds(15);
  HealthSettings health;
  RelaySettings relay;
  BufferSettings buffer;
  host::HostPaths host;

  /// Reads all keys and calls ConfigFile::finish. kInvalid with file, line and key.
  static Result<Settings> read(const service::ConfigFile& file);
};

/// The keys with their defaults, for --help.
extern const char* const kConfigHelp;

/// Whose data it is and from where, on every resource: customer.id and node.id, and customer.name,
/// node.region and environment where they are configured.
std::vector<host::ResourceAttribute> customer_attributes(const Settings& settings);

/// True where sending to `endpoint` would come back to `listen`: same port, and the host is the
/// address listened on, or one of our own where that is a wildcard.
bool is_own_address(const std::string& endpoint, const std::string& listen);

}  // namespace vigia::agent
