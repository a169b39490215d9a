#include "services/collector/settings.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "services/collector/limits.hpp"
#include "services/collector/settings_extensions.hpp"

namespace vigia::collector {
namespace {

using service::ConfigNode;

/// Which pipelines name a part.
using Uses = std::map<std::string, std::set<Signal>>;

struct Pipelines {
  std::vector<parts::PipelineProcessors> lists;
  std::map<std::string, std::vector<std::string>> exporters_of;  ///< by the pipeline's name
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
    pipelines.lists.push_back({name, *signal, pipeline.child("processors").text_list()});
    pipelines.exporters_of[name] = pipeline.child("exporters").text_list();
    use(pipeline.child("receivers"), root.child("receivers"), *signal, pipelines.receivers);
    use(pipeline.child("processors"), root.child("processors"), *signal, pipelines.processors);
    use(pipeline.child("exporters"), root.child("exporters"), *signal, pipelines.exporters);
    if (pipeline.child("exporters").items().empty()) pipeline.note_error("names no exporter");
    if (pipeline.child("receivers").items().empty()) pipeline.note_error("names no receiver");
  }
  if (pipelines.signals.empty()) node.note_error("describes no pipeline");
  return pipelines;
}

void refuse_kind(const ConfigNode& part, std::string_view id, std::string_view what,
                 std::string_view there_are) {
  part.note_error(fmt::format("\"{}\" is not {} of this collector; {}", id, what, there_are));
  part.accept_all();
}

void read_receivers(const ConfigNode& node, const Pipelines& pipelines, Settings& settings) {
  bool are_known = true;
  for (const std::string& id : node.keys()) {
    const ConfigNode part = node.child(id);
    const parts::ReceiverKind* kind = parts::find_receiver(id);
    if (kind == nullptr) {
      are_known = false;
      refuse_kind(part, id, "a receiver", parts::receivers_there_are());
      continue;
    }
    auto doors = kind->read(part, id, settings.notes);
    const auto uses = pipelines.receivers.find(id);
    if (uses == pipelines.receivers.end()) continue;  // described, not used: as upstream has it
    if (kind->takes_metrics_only && uses->second != std::set<Signal>{Signal::kMetrics})
      part.note_error("gives metrics only, and stands in another pipeline");
    settings.receivers.insert(settings.receivers.end(), doors.begin(), doors.end());
  }
  if (settings.receivers.empty() && are_known) {
    node.note_error("no receiver is used by a pipeline");
  }
}

bool is_tail_sampling(const std::string& id) { return config::part_type(id) == "tail_sampling"; }

/// Pipelines of traces share what is kept, so they have one, the same; and what stands behind it
/// would have been done before it.
void check_tail_sampling(const std::vector<parts::PipelineProcessors>& lists,
                         const parts::StageMakers& makers, const ConfigNode& pipelines,
                         const parts::ProcessorSettings& processors) {
  if (processors.tail_sampling.empty()) return;
  std::set<std::string> named;
  for (const parts::PipelineProcessors& list : lists) {
    if (list.signal != Signal::kTraces) continue;
    const ConfigNode node = pipelines.child(list.pipeline).child("processors");
    const auto first = std::find_if(list.ids.begin(), list.ids.end(), is_tail_sampling);
    if (first == list.ids.end()) {
      pipelines.child(list.pipeline)
          .note_error(
              "has no tail_sampling, and another pipeline of traces has: they share what is "
              "kept, so give them the same");
      continue;
    }
    named.insert(*first);
    for (auto after = std::next(first); after != list.ids.end(); ++after) {
      const auto maker = makers.find(*after);
      if (is_tail_sampling(*after) || (maker != makers.end() && maker->second))
        node.note_error(fmt::format(
            "\"{}\" stands behind \"{}\": all others work before spans are acknowledged, and this "
            "one after it, so put it last",
            *after, *first));
    }
  }
  if (named.size() > 1)
    pipelines.note_error("pipelines of traces have unlike tail_sampling: they share what is kept");
}

void read_processors(const ConfigNode& root, const Pipelines& pipelines,
                     const config::PartContext& context, Settings& settings) {
  const ConfigNode node = root.child("processors");
  const ConfigNode pipelines_node = root.child("service").child("pipelines");
  parts::StageMakers makers;
  for (const std::string& id : node.keys()) {
    const ConfigNode part = node.child(id);
    if (const parts::ProcessorKind* kind = parts::find_processor(id)) {
      const auto uses = pipelines.processors.find(id);
      const std::set<Signal> signals =
          uses == pipelines.processors.end() ? std::set<Signal>{} : uses->second;
      makers[id] = kind->read(part, signals, settings.processors, context);
      if (!signals.empty()) settings.processor_ids.push_back(id);
    } else {
      refuse_kind(part, id, "a processor", parts::processors_there_are());
    }
  }
  check_tail_sampling(pipelines.lists, makers, pipelines_node, settings.processors);
  auto stages = parts::order_stages(pipelines.lists, makers);
  if (stages)
    settings.stages = *std::move(stages);
  else
    pipelines_node.child(stages.error().pipeline).note_error(stages.error().message);
}

void read_exporters(const ConfigNode& node, const Pipelines& pipelines,
                    const config::PartContext& context, Settings& settings) {
  for (const std::string& id : node.keys()) {
    const ConfigNode part = node.child(id);
    const parts::ExporterKind* kind = parts::find_exporter(id);
    if (kind == nullptr) {
      refuse_kind(part, id, "an exporter", parts::exporters_there_are());
      continue;
    }
    exporters::ConfiguredExporter exporter;
    exporters::ExporterSettings& common = exporter.settings;
    common.id = id;
    common.name = config::part_name(id);
    common.max_age = part.child("max_age").duration(common.max_age);
    exporter.make = kind->read(part, common, context);
    // What a kind does not use is not read, and so is refused as a key that is not known: taken in
    // silence it would seem to hold.
    if (!common.is_local) common.required = part.child("required").boolean(false);
    const auto uses = pipelines.exporters.find(id);
    if (uses == pipelines.exporters.end()) continue;
    common.signals.assign(uses->second.begin(), uses->second.end());
    if (kind->takes_metrics_only && uses->second != std::set<Signal>{Signal::kMetrics})
      part.note_error("takes metrics only, and stands in another pipeline");
    settings.exporters.push_back(std::move(exporter));
  }
}

/// An exporter of several pipelines keeps to the least that one of their batch processors allows.
void bound_requests(const Pipelines& pipelines, Settings& settings) {
  const auto least = [](std::uint32_t left, std::uint32_t right) {
    return left == 0 || right == 0 ? std::max(left, right) : std::min(left, right);
  };
  for (const parts::PipelineProcessors& list : pipelines.lists) {
    std::uint32_t items_max = 0;
    for (const std::string& id : list.ids) {
      const auto found = settings.processors.batch_items_max.find("processors." + id);
      if (found != settings.processors.batch_items_max.end())
        items_max = least(items_max, found->second);
    }
    const std::vector<std::string>& named = pipelines.exporters_of.at(list.pipeline);
    for (exporters::ConfiguredExporter& exporter : settings.exporters) {
      std::uint32_t& most = exporter.settings.request_items_max;
      if (std::find(named.begin(), named.end(), exporter.settings.id) != named.end())
        most = least(most, items_max);
    }
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
    config::take_notes(prometheus,
                       {"without_scope_info", "without_type_suffix", "without_units",
                        "with_resource_constant_labels", "translation_strategy"},
                       "own metrics have one form", settings.notes);
  }
}

void read_service(const ConfigNode& root, const Extensions& extensions, Settings& settings) {
  const ConfigNode node = root.child("service");
  for (const ConfigNode& item : node.child("extensions").items()) {
    const std::string id = item.text();
    if (extensions.ids.count(id) == 0) {
      item.note_error(fmt::format("\"{}\" is not described under extensions", id));
    }
    if (id != extensions.health_id) continue;
    settings.health_endpoint = extensions.health_endpoint;
    settings.health_path = extensions.health_path;
    settings.health_tls = extensions.health_tls;
  }
  const ConfigNode metrics = node.child("telemetry").child("metrics");
  settings.metrics_endpoint = metrics.child("address").text(settings.metrics_endpoint);
  read_metric_readers(metrics.child("readers"), settings);
  config::take_notes(metrics, {"level", "views"}, "metrics are always complete", settings.notes);
  const ConfigNode logs = node.child("telemetry").child("logs");
  config::take_note(logs.child("level"), "the flag --log-level sets it", settings.notes);
  config::take_note(logs.child("encoding"), "the flag --log-format sets it", settings.notes);
  config::take_notes(logs,
                     {"development", "disable_caller", "disable_stacktrace", "error_output_paths",
                      "initial_fields", "output_paths", "processors", "sampling"},
                     "the log goes to standard error, each reason once in a while", settings.notes);
  config::take_notes(node.child("telemetry"), {"traces", "resource"},
                     "the collector sends no telemetry of its own", settings.notes);
}

/// What a door takes is held whole in several places, so it is bounded by what memory there is.
void bound_bodies(Settings& settings) {
  if (settings.processors.memory_limiter.limit_bytes == 0) return;
  const auto bytes_max = std::max<std::size_t>(
      settings.processors.memory_limiter.limit_bytes / kBodyOfLimitParts, kStandardBodyBytesMin);
  for (receivers::ReceiverSettings& door : settings.receivers) {
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
  const config::PartContext context{extensions.bearer_tokens, settings.notes};
  read_processors(root, pipelines, context, settings);
  bound_bodies(settings);
  read_exporters(root.child("exporters"), pipelines, context, settings);
  bound_requests(pipelines, settings);
  read_service(root, extensions, settings);
  settings.signals.assign(pipelines.signals.begin(), pipelines.signals.end());
  if (auto finished = file.finish(); !finished) return forward(finished);
  check_needed(root.child("extensions"), extensions, settings);
  if (auto finished = file.finish(); !finished) return forward(finished);
  return settings;
}

std::string settings_help() {
  return R"(The OpenTelemetry Collector's own shape; an unknown part or key is an error.
extensions:
  vigia_auth: {directory: {file: customers.yaml},   # or {url, token, cache_file}; needed
               collectors: 1,                       # behind one balancer: each grants its part
                                                    # of a customer's rates, and refuses deltas
               sticky_senders: false,               # unless each sender keeps to one of them
               delta_streams: 20000,                # of one customer; more are refused
               missing_customer: refuse}            # or fill: with the token's customer;
                                                    # directory: also max_stale: 0 (never),
                                                    # refresh_interval: 1s (at most 5s),
                                                    # doubt_max: 15m (a snapshot that goes back
                                                    # or loses customers is kept out so long)
  file_storage: {directory, bytes_max: 10GiB, segment_bytes: 16MiB,          # the disk log; needed
                 customer_share: 0.25}        # of it, for one customer once it is half full
  health_check: {endpoint: 127.0.0.1:13133, path: /, tls}
  bearertokenauth: {token | filename, scheme: Bearer}                 # for exporters
receivers:
)" + parts::help_of_receivers() +
         "processors:\n" + parts::help_of_processors() +
         R"(exporters:                                          # each: max_age: 0 (never)
                                                    # each that sends: required: false
)" + parts::help_of_exporters() +
         R"(service:
  extensions: [vigia_auth, file_storage, health_check]
  telemetry: {metrics: {address: 127.0.0.1:8888}}
  pipelines: {metrics | traces | logs: {receivers: […], processors: […], exporters: […]}}
)";
}

}  // namespace vigia::collector
