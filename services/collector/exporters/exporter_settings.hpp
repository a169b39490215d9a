// What the configuration says of one exporter, whatever its kind.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/model/signal.hpp"

namespace vigia::collector::exporters {

enum class ExporterKind : std::uint8_t {
  kPrometheusRemoteWrite,
  kPrometheus,
  kOtlp,
  kOtlpHttp,
  kDebug
};

struct ExporterSettings {
  ExporterKind kind = ExporterKind::kDebug;
  std::string id;        ///< as configured: "prometheusremotewrite/hot-0"; label `exporter`
  std::string name;      ///< what follows the slash, or ""
  std::string endpoint;  ///< a URL; for prometheus the address to listen on
  std::vector<std::pair<std::string, std::string>> headers;
  std::string compression;  ///< otlp, otlphttp: "gzip", "zstd", "none"
  bool hot_shard = false;   ///< remote write: takes only the records whose route is `name`
  bool required = false;    ///< its cursor holds the log back
  Duration max_age{0};      ///< records older than this are skipped, counted; 0: never
  Duration timeout = std::chrono::seconds(10);
  Duration retry_initial = std::chrono::seconds(1);
  Duration retry_max = std::chrono::seconds(30);
  /// How long what fails alone, while others' data is taken, is kept before it is given up; 0: a
  /// day where required, else 10 minutes.
  Duration give_up_after{0};
  /// What may lie aside of one customer: over it, where required, intake takes no more of it; else
  /// its oldest goes.
  std::uint64_t side_customer_bytes_max = 256ULL << 20U;
  std::size_t batch_bytes_max = 1U << 20U;
  std::string ca_file, cert_file, key_file;  ///< tls
  bool tls_skip_verify = false;
  std::vector<std::string> resource_labels;  ///< of series; empty: the default list
  std::vector<Signal> signals;               ///< whose pipelines name it
};

}  // namespace vigia::collector::exporters
