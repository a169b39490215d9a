// The collector's configuration, in the OpenTelemetry Collector's own YAML shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/service/config.hpp"
#include "libs/tenancy/directory_source.hpp"
#include "services/collector/parts/part_table.hpp"

namespace vigia::collector {

struct StorageSettings {
  std::string directory;
  std::uint64_t bytes_max = 10ULL << 30U;
  std::uint64_t segment_bytes = 16U << 20U;
  double customer_share = 0.25;  ///< disk_log::DiskLogSettings::owner_share
};

struct Settings {
  std::vector<receivers::ReceiverSettings> receivers;
  parts::ProcessorSettings processors;
  std::vector<parts::ConfiguredStage> stages;            ///< of processors, in order by signal
  std::vector<std::string> processor_ids;                ///< those that a pipeline names
  std::vector<exporters::ConfiguredExporter> exporters;  ///< those that a pipeline names
  std::vector<Signal> signals;                           ///< those that a pipeline takes
  tenancy::DirectorySettings directory;
  StorageSettings storage;
  bool fills_missing_customer = false;   ///< vigia_auth's missing_customer is fill
  std::uint32_t collectors = 1;          ///< vigia_auth's: who share the customers' rates
  bool are_senders_sticky = false;       ///< vigia_auth's: each keeps to one of these collectors
  std::uint64_t delta_streams = 20'000;  ///< vigia_auth's: of one customer
  std::string health_endpoint;           ///< "": none
  std::string health_path = "/";
  std::optional<net::TlsServerSettings> health_tls;
  std::string metrics_endpoint = "127.0.0.1:8888";
  config::Notes notes;
};

/// Reads every key; an unknown part or key, a reference to a part that is not there, and a pipeline
/// that makes no sense are errors with file and line.
Result<Settings> read_settings(const service::ConfigFile& file);

/// Shown by --help.
std::string settings_help();

}  // namespace vigia::collector
