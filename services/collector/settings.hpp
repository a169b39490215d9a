// The collector's configuration, in the OpenTelemetry Collector's own YAML shape (design §6).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/net/server.hpp"
#include "libs/service/config.hpp"
#include "libs/tenancy/directory_source.hpp"
#include "services/collector/exporters/exporter_settings.hpp"

namespace vigia::collector {

/// One door of an otlp receiver.
struct ReceiverSettings {
  std::string id;        ///< "otlp"
  std::string protocol;  ///< "grpc" or "http"; each port speaks both, so this only names it
  std::string endpoint;
  std::size_t body_bytes_max = 64U << 20U;
  bool is_body_configured = false;  ///< else the memory limit bounds body_bytes_max
  std::optional<net::TlsServerSettings> tls;
  std::vector<std::string> trusted_proxies;
};

struct StorageSettings {
  std::string directory;
  std::uint64_t bytes_max = 10ULL << 30U;
  std::uint64_t segment_bytes = 16U << 20U;
  double customer_share = 0.25;  ///< disk_log::DiskLogSettings::customer_share
};

struct Settings {
  std::vector<ReceiverSettings> receivers;
  std::vector<exporters::ExporterSettings> exporters;  ///< those that a pipeline names
  std::vector<Signal> signals;                         ///< those that a pipeline takes
  tenancy::DirectorySettings directory;
  StorageSettings storage;
  bool fills_missing_customer = false;  ///< vigia_auth's missing_customer is fill
  std::uint32_t collectors = 1;         ///< vigia_auth's: who share the customers' rates
  std::string health_endpoint;          ///< "": none
  std::string metrics_endpoint = "127.0.0.1:8888";
  std::uint64_t memory_limit_bytes = 0;            ///< of RSS, above which intake refuses; 0: none
  std::uint64_t series_cache_bytes = 256U << 20U;  ///< from the memory limit where there is one
  std::vector<std::string> resource_labels;        ///< empty: the default list
  std::vector<std::string> notes;                  ///< keys that are known and have no effect here
};

/// Reads every key; an unknown part or key, a reference to a part that is not there, and a pipeline
/// that makes no sense are errors with file and line.
Result<Settings> read_settings(const service::ConfigFile& file);

/// Shown by --help.
std::string settings_help();

}  // namespace vigia::collector
