#include "services/collector/settings.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>

#include "services/collector/limits.hpp"
#include "services/collector/settings_parts.hpp"

namespace vigia::collector {
namespace {

using service::ConfigNode;

/// Which pipelines name a part.
using Uses = std::map<std::string, std::set<Signal>>;

struct Pipelines {
  Uses receivers;
  Uses processors;
  Uses exporters;
  std::set<Signal> signals;
};

std::optional<Signal> signal_named(std::string_view pipeline) {
  const std::string_view type = pipeline.substr(0, pipeline.find('/'));
  for (const Signal signal : {Signal::kMetrics, Signal::kTraces, Signal::kLogs}) {
    if (type == to_string(signal)) return signal;
  }
  return std::nullopt;
}

/// Notes where a listed id is not among the parts that the file describes.
void use(const ConfigNode& list, const ConfigNode& parts, Signal signal, Uses& uses) {
  const std::vector<std::string> known = parts.keys();
  for (const ConfigNode& item : list.items()) {
    const std::string id = item.text();
    if (std::find(known.begin(), known.end(), id) == known.end()) {
      item.note_error(fmt::format("\"{}\" is not described under {}", id, parts.path()));
    }
    uses[id].insert(signal);
  }
}

bool takes_metrics_only(exporters::ExporterKind kind) {
  return kind == exporters::ExporterKind::kPrometheus ||
         kind == exporters::ExporterKind::kPrometheusRemoteWrite;
}

Pipelines read_pipelines(const ConfigNode& root) {
  Pipelines pipelines;
  const ConfigNode node = root.child("service").child("pipelines");
  for (const std::string& name : node.keys()) {
    const ConfigNode pipeline = node.child(name);
    const auto signal = signal_named(name);
    if (!signal) {
      pipeline.note_error("a pipeline is metrics, traces or logs");
      pipeline.accept_all();
      continue;
    }
    pipelines.signals.insert(*signal);
    use(pipeline.child("receivers"), root.child("receivers"), *signal, pipelines.receivers);
    use(pipeline.child("processors"), root.child("processors"), *signal, pipelines.processors);
    use(pipeline.child("exporters"), root.child("exporters"), *signal, pipelines.exporters);
    if (pipeline.child("exporters").items().empty()) pipeline.note_error("names no exporter");
    if (pipeline.child("receivers").items().empty()) pipeline.note_error("names no receiver");
  }
  if (pipelines.signals.empty()) node.note_error("describes no pipeline");
  return pipelines;
}

void read_receivers(const ConfigNode& node, const Pipelines& pipelines, Settings& settings) {
  bool are_known = true;
  for (const std::string& id : node.keys()) {
    const ConfigNode part = node.child(id);
    if (part_type(id) != "otlp") {
      are_known = false;
      part.note_error(fmt::format("\"{}\" is not a receiver of this collector; otlp is", id));
      part.accept_all();
      continue;
    }
    auto doors = read_otlp_receiver(part, id, settings.notes);
    if (pipelines.receivers.count(id) == 0) continue;  // described, not used: as upstream has it
    settings.receivers.insert(settings.receivers.end(), doors.begin(), doors.end());
  }
  if (settings.receivers.empty() && are_known) {
    node.note_error("no receiver is used by a pipeline");
  }
}

void read_exporters(const ConfigNode& node, const Pipelines& pipelines, const Extensions& known,
                    Settings& settings) {
  for (const std::string& id : node.keys()) {
    const ConfigNode part = node.child(id);
    auto exporter = read_exporter(part, id, known, settings.notes);
    const auto uses = pipelines.exporters.find(id);
    if (!exporter || uses == pipelines.exporters.end()) continue;
    exporter->signals.assign(uses->second.begin(), uses->second.end());
    if (takes_metrics_only(exporter->kind) && uses->second != std::set<Signal>{Signal::kMetrics}) {
      part.note_error("takes metrics only, and stands in another pipeline");
    }
    settings.exporters.push_back(std::move(*exporter));
  }
}

/// Where newer stock files say the address: readers: [{pull: {exporter: {prometheus: {host,
/// port}}}}].
void read_metric_readers(const ConfigNode& node, Settings& settings) {
  for (const ConfigNode& reader : node.items()) {
    const ConfigNode prometheus = reader.child("pull").child("exporter").child("prometheus");
    if (!prometheus.is_present()) {
      reader.note_error("only pull: {exporter: {prometheus: {host, port}}} can be served");
      reader.accept_all();
      continue;
    }
    settings.metrics_endpoint = fmt::format("{}:{}", prometheus.child("host").text("127.0.0.1"),
                                            prometheus.child("port").integer(8888, 0, 65535));
    for (const char* key : {"without_scope_info", "without_type_suffix", "without_units"})
      take_note(prometheus.child(key), "own metrics have one form", settings.notes);
  }
}

void read_service(const ConfigNode& root, const Extensions& extensions, Settings& settings) {
  const ConfigNode node = root.child("service");
  for (const ConfigNode& item : node.child("extensions").items()) {
    const std::string id = item.text();
    if (extensions.ids.count(id) == 0) {
      item.note_error(fmt::format("\"{}\" is not described under extensions", id));
    }
    if (id == extensions.health_id) settings.health_endpoint = extensions.health_endpoint;
  }
  const ConfigNode metrics = node.child("telemetry").child("metrics");
  settings.metrics_endpoint = metrics.child("address").text(settings.metrics_endpoint);
  read_metric_readers(metrics.child("readers"), settings);
  take_note(metrics.child("level"), "metrics are always complete", settings.notes);
  const ConfigNode logs = node.child("telemetry").child("logs");
  take_note(logs.child("level"), "the flag --log-level sets it", settings.notes);
  take_note(logs.child("encoding"), "the flag --log-format sets it", settings.notes);
}

/// What a door takes is held whole in several places, so it is bounded by what memory there is.
void bound_bodies(Settings& settings) {
  if (settings.memory_limit_bytes == 0) return;
  const auto bytes_max =
      std::max<std::size_t>(settings.memory_limit_bytes / kBodyOfLimitParts, kStandardBodyBytesMin);
  for (ReceiverSettings& door : settings.receivers) {
    if (!door.is_body_configured) door.body_bytes_max = std::min(door.body_bytes_max, bytes_max);
  }
}

}  // namespace

Result<Settings> read_settings(const service::ConfigFile& file) {
  const ConfigNode root = file.root();
  Settings settings;
  const Pipelines pipelines = read_pipelines(root);
  const Extensions extensions = read_extensions(root.child("extensions"), settings);
  read_receivers(root.child("receivers"), pipelines, settings);
  for (const std::string& id : root.child("processors").keys()) {
    read_processor(root.child("processors").child(id), id, pipelines.processors.count(id) > 0,
                   settings);
  }
  bound_bodies(settings);
  read_exporters(root.child("exporters"), pipelines, extensions, settings);
  read_service(root, extensions, settings);
  settings.signals.assign(pipelines.signals.begin(), pipelines.signals.end());
  if (auto finished = file.finish(); !finished) return forward(finished);
  return settings;
}

std::string settings_help() {
  return R"(The OpenTelemetry Collector's own shape; an unknown part or key is an error.
extensions:
  vigia_auth: {directory: {file: customers.yaml},   # or {url, token, cache_file}; needed
               collectors: 1,                       # behind one balancer: each grants its part
                                                    # of a customer's rates
               missing_customer: refuse}            # or fill: with the token's customer;
                                                    # directory: also max_stale: 0 (never),
                                                    # refresh_interval: 1s (at most 5s),
                                                    # doubt_max: 15m (a snapshot that goes back
                                                    # or loses customers is kept out so long)
  file_storage: {directory, bytes_max: 10GiB, segment_bytes: 16MiB,          # the disk log; needed
                 customer_share: 0.25}        # of it, for one customer once it is half full
  health_check: {endpoint: 127.0.0.1:13133}
  bearertokenauth: {token | filename, scheme: Bearer}                 # for exporters
receivers:
  otlp: {protocols: {grpc: {endpoint: 127.0.0.1:4317, auth: {authenticator: vigia_auth},
                            tls: {cert_file, key_file}, max_recv_msg_size_mib: 64,
                            trusted_proxies: []},   # reverse proxies: [127.0.0.1, 10.0.0.0/8]
                     http: {endpoint: 127.0.0.1:4318, auth: …, tls: …,
                            max_request_body_size: 67108864}}}
                                                    # without: 64 MiB, or 1/16 of limit_mib where
                                                    # that is less, at least 4 MiB
processors:
  memory_limiter: {limit_mib, spike_limit_mib: 0}   # of resident memory; over it whoever holds the
                                                    # most is refused, over 9/8 of it all but
                                                    # small requests; 3/8 of it, or all but 384,
                                                    # is for series
  batch: {}
exporters:                                          # each: required: false, max_age: 0 (never)
  prometheusremotewrite/NAME: {endpoint, headers, tls, auth, timeout: 10s, resource_labels,
                               hot_shard: true for names hot-…, give_up_after: 10m,
                               side_queue: {customer_bytes_max: 256MiB}}
  otlphttp/NAME, otlp/NAME: {endpoint, headers, tls, auth, timeout: 10s, compression,
                             give_up_after: 10m,    # 24h where required: what fails alone meanwhile
                             side_queue: {customer_bytes_max: 256MiB}}  # lies aside; over it the
                                                    # customer's oldest goes, where required nothing
                                                    # does but intake refuses that customer
  prometheus: {endpoint: 127.0.0.1:8889}
  debug: {}
service:
  extensions: [vigia_auth, file_storage, health_check]
  telemetry: {metrics: {address: 127.0.0.1:8888}}
  pipelines: {metrics | traces | logs: {receivers: […], processors: […], exporters: […]}}
)";
}

}  // namespace vigia::collector
