#include "services/collector/parts/part_table.hpp"

#include <array>

#include <fmt/format.h>

#include "services/collector/exporters/debug/debug_exporter.hpp"
#include "services/collector/exporters/otlp/otlp_exporter.hpp"
#include "services/collector/exporters/prometheus/pull_exporter.hpp"
#include "services/collector/exporters/remote_write/remote_write_exporter.hpp"
#include "services/collector/processors/attributes/attributes_stage.hpp"
#include "services/collector/processors/filter/filter_stage.hpp"
#include "services/collector/processors/sampler/sampler_stage.hpp"
#include "services/collector/processors/transform/transform_stage.hpp"

namespace vigia::collector::parts {
namespace {

/// The batch processor gathers nothing: exporters do, from the disk log. What it allows in one
/// request they keep to.
MakeStage read_batch(const service::ConfigNode& node, const std::set<Signal>& /*signals*/,
                     ProcessorSettings& settings, const config::PartContext& context) {
  constexpr std::int64_t kItemsMax = 1'000'000'000;
  constexpr std::int64_t kStandardSize = 8192;
  const service::ConfigNode size = node.child("send_batch_size");
  const service::ConfigNode most = node.child("send_batch_max_size");
  const auto items = size.integer(kStandardSize, 0, kItemsMax);
  const auto items_max = most.integer(0, 0, kItemsMax);
  if (items_max > 0 && items_max < items)
    most.note_error(fmt::format("is below send_batch_size, which is {}", items));
  if (items_max > 0) settings.batch_items_max[node.path()] = static_cast<std::uint32_t>(items_max);
  for (const char* key : {"timeout", "send_batch_size"})
    config::take_note(node.child(key), "exporters gather batches from the disk log by themselves",
                      context.notes);
  for (const char* key : {"metadata_keys", "metadata_cardinality_limit"})
    config::take_note(node.child(key), "no batch mixes customers", context.notes);
  return nullptr;
}

MakeStage read_memory_limiter(const service::ConfigNode& node, const std::set<Signal>& signals,
                              ProcessorSettings& settings, const config::PartContext& context) {
  memory_limiter::read(node, !signals.empty(), settings.memory_limiter, context);
  return nullptr;
}

MakeStage read_attributes(const service::ConfigNode& node, const std::set<Signal>& signals,
                          ProcessorSettings& /*settings*/, const config::PartContext& context) {
  namespace attributes = processors::attributes;
  return [made = attributes::read_attributes_processor(node, signals, context.notes)] {
    return attributes::make_attributes_stage(made);
  };
}

MakeStage read_resource(const service::ConfigNode& node, const std::set<Signal>& /*signals*/,
                        ProcessorSettings& /*settings*/, const config::PartContext& /*context*/) {
  namespace attributes = processors::attributes;
  return [actions = attributes::read_resource_processor(node)] {
    return attributes::make_resource_stage(actions);
  };
}

MakeStage read_sampler(const service::ConfigNode& node, const std::set<Signal>& signals,
                       ProcessorSettings& /*settings*/, const config::PartContext& /*context*/) {
  namespace sampler = processors::sampler;
  return
      [made = sampler::read_sampler(node, signals)] { return sampler::make_sampler_stage(made); };
}

MakeStage read_filter(const service::ConfigNode& node, const std::set<Signal>& /*signals*/,
                      ProcessorSettings& /*settings*/, const config::PartContext& context) {
  namespace filter = processors::filter;
  // Conditions are compiled once for the stages of all signals.
  auto made = std::make_shared<const filter::FilterSettings>(filter::read_filter(node, context));
  return [made] { return filter::make_filter_stage(made); };
}

MakeStage read_transform(const service::ConfigNode& node, const std::set<Signal>& /*signals*/,
                         ProcessorSettings& /*settings*/, const config::PartContext& /*context*/) {
  namespace transform = processors::transform;
  auto made = std::make_shared<const transform::TransformSettings>(transform::read_transform(node));
  return [made] { return transform::make_transform_stage(made); };
}

/// It works behind the acknowledgement, on a log of its own.
MakeStage read_tail_sampling(const service::ConfigNode& node, const std::set<Signal>& signals,
                             ProcessorSettings& settings, const config::PartContext& context) {
  auto made = tail_sampling::read_tail_sampling(node, signals, context.notes);
  if (!signals.empty()) settings.tail_sampling.emplace(node.path(), std::move(made));
  return nullptr;
}

constexpr std::array kReceivers{
    ReceiverKind{
        {"otlp",
         R"(  otlp: {protocols: {grpc: {endpoint: 127.0.0.1:4317, auth: {authenticator: vigia_auth},
                            tls: {cert_file, key_file, client_ca_file}, # with the last a client
                                                    # must show a certificate; also min_version,
                                                    # max_version, reload_interval: 1s,
                                                    # client_ca_file_reload: true
                            max_recv_msg_size_mib: 64,
                            trusted_proxies: []},   # reverse proxies: [127.0.0.1, 10.0.0.0/8]
                     http: {endpoint: 127.0.0.1:4318, auth: …, tls: …,
                            traces_url_path: /v1/traces, metrics_url_path, logs_url_path,
                            max_request_body_size: 67108864}}}
                                                    # without: 64 MiB, or 1/16 of limit_mib where
                                                    # that is less, at least 4 MiB
)"},
        false,
        receivers::read_otlp_receiver},
    ReceiverKind{
        {"prometheusremotewrite",
         R"(  prometheusremotewrite: {endpoint: 127.0.0.1:9201, auth: {authenticator: vigia_auth}, tls: …,
                          max_request_body_size, trusted_proxies}   # a customer's own Prometheus:
                                                    # POST /api/v1/write, /api/v1/push; 1.0 and 2.0
)"},
        true,
        receivers::read_remote_write_receiver}};

constexpr std::array kProcessors{
    ProcessorKind{
        {"memory_limiter",
         R"(  memory_limiter: {limit_mib, spike_limit_mib: 0,   # of resident memory; or of what there is:
                   limit_percentage, spike_limit_percentage: 0}
                                                    # over it whoever holds the most is refused,
                                                    # over 9/8 of it all but small requests; 3/8
                                                    # of it, or all but 384, is for series
)"},
        read_memory_limiter},
    ProcessorKind{
        {"batch",
         "  batch: {send_batch_max_size: 0}     # of spans, records or values in a request\n"
         "                                                    # that goes out, where set\n"},
        read_batch},
    ProcessorKind{
        {"attributes",
         R"(  attributes: {include: {match_type: strict | regexp, services, resources, attributes, libraries,
                         span_names, span_kinds, log_bodies, log_severity_texts,
                         log_severity_number: {min}, metric_names}, exclude: …,
               actions: [{key, action: insert | update | upsert, value | from_attribute,
                          default_value},
                         {key, pattern, action: delete | hash},
                         {key, pattern: (?P<name>…), action: extract},
                         {key, converted_type: int | double | string, action: convert}]}
                                                    # of points, spans, log records; customer.id
                                                    # is changed by none
)"},
        read_attributes},
    ProcessorKind{
        {"resource", "  resource: {attributes: […]}     # the same actions, of resources\n"},
        read_resource},
    ProcessorKind{
        {"probabilistic_sampler",
         R"(  probabilistic_sampler: {sampling_percentage, mode: hash_seed | proportional | equalizing,
                          hash_seed: 0, fail_closed: true, sampling_precision: 4,
                          attribute_source: traceID | record, from_attribute, sampling_priority}
                                                    # of spans and log records
)"},
        read_sampler},
    ProcessorKind{
        {"filter",
         R"(  filter: {error_mode: ignore,                      # or silent, propagate: refuses the request
           trace_conditions: [], metric_conditions: [], log_conditions: []}
                                                    # OTTL: what is met goes
                                                    # traces: {resource, span, spanevent},
                                                    # metrics: {resource, metric, datapoint} and
                                                    # logs: {resource, log_record} too; include and
                                                    # exclude, of spans, metrics, logs: match_type
                                                    # strict or regexp
)"},
        read_filter},
    ProcessorKind{{"transform",
                   R"(  transform: {error_mode: ignore,
              trace_statements: [], metric_statements: [], log_statements: []}
                                                    # OTTL: a list of statements, or of {context,
                                                    # error_mode, conditions, statements}
)"},
                  read_transform},
    ProcessorKind{
        {"tail_sampling",
         R"(  tail_sampling: {decision_wait: 30s, num_traces: 50000,   # undecided, of all customers
                  decision_cache: {sampled_cache_size, non_sampled_cache_size},
                  sample_on_first_match: false,
                  policies: [{name, type, TYPE: {…}}]}
                                                    # always_sample, latency, status_code,
                                                    # string_, numeric_, boolean_attribute,
                                                    # probabilistic, rate_limiting, span_count,
                                                    # and, drop; last of a list of traces
)"},
        read_tail_sampling}};

constexpr std::array kExporters{
    ExporterKind{
        {"prometheusremotewrite",
         R"(  prometheusremotewrite/NAME: {endpoint, headers, tls, auth, timeout: 10s, resource_labels,
                               hot_shard: true for names hot-… (of a pair the
                                                    # shard's name, in both exporters),
                               translation_strategy: UnderscoreEscapingWithSuffixes
                                                    # or UnderscoreEscapingWithoutSuffixes,
                                                    # NoUTF8EscapingWithSuffixes, NoTranslation
                               ratio_suffix: true, exponential_histograms: native,   # or classic
                               resource_to_telemetry_conversion: {enabled: false},
                               target_info: {enabled: true},
                               protobuf_message: prometheus.WriteRequest,
                                                    # 1.0 alone; without it 2.0 where it is spoken
                               max_shards: 4,       # requests of one customer at a time, 4 at most
                               give_up_after: 10m,
                               side_queue: {customer_bytes_max: 256MiB},
                               refusals: {customer_bytes_per_second: 16KiB}}
)"},
        "prometheus_remote_write",
        true,
        exporters::remote_write::read},
    ExporterKind{
        {"otlphttp",
         R"(  otlphttp/NAME, otlp/NAME: {endpoint, headers, tls, auth, timeout: 10s, compression,
                             give_up_after: 10m,    # 24h where required: what fails alone meanwhile
                             side_queue: {customer_bytes_max: 256MiB}}  # lies aside; over it the
                                                    # customer's oldest goes, where required nothing
                                                    # does but intake refuses that customer
                                                    # refusals, of both: what the far end refuses
                                                    # of one customer, by the labels that it writes
                                                    # into its log; over it that customer's search
                                                    # waits
)"},
        "otlp_http",
        false,
        exporters::otlp::read_http},
    ExporterKind{{"otlp", ""}, "otlp_grpc", false, exporters::otlp::read_grpc},
    ExporterKind{
        {"prometheus",
         R"(  prometheus: {endpoint: 127.0.0.1:8889,         # without a token: whoever reaches it reads all
               metric_expiration: 5m, send_timestamps: false,
               enable_open_metrics: true,           # where Accept asks for it; with exemplars
               namespace, const_labels: {name: value},
               translation_strategy, ratio_suffix, resource_labels,          # as above
               resource_to_telemetry_conversion, target_info}
)"},
        "",
        true,
        exporters::prometheus::read},
    ExporterKind{
        {"debug",
         R"(  debug: {verbosity: basic,                       # how much; normal, detailed: also a line an
                                                    # item, of what customers send, at most 100
          sampling_initial: 2,                      # a second of one customer; of its requests of
          sampling_thereafter: 1}                   # a second the first, then each so many
)"},
        "",
        false,
        exporters::debug::read}};

template <typename Kinds>
const auto* find(const Kinds& kinds, std::string_view id) {
  const std::string_view type = config::part_type(id);
  for (const auto& kind : kinds) {
    if (kind.type == type) return &kind;
  }
  return static_cast<const typename Kinds::value_type*>(nullptr);
}

/// "a is", "a and b are", "a, b and c are".
template <typename Kinds>
std::string there_are(const Kinds& kinds) {
  std::string text;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (i > 0) text += i + 1 == kinds.size() ? " and " : ", ";
    text += kinds[i].type;
  }
  return text + (kinds.size() == 1 ? " is" : " are");
}

template <typename Kinds>
std::string help_of(const Kinds& kinds) {
  std::string text;
  for (const PartKind& kind : kinds) text += kind.help;
  return text;
}

}  // namespace

std::span<const ExporterKind> exporter_kinds() { return kExporters; }

const ReceiverKind* find_receiver(std::string_view id) { return find(kReceivers, id); }
const ProcessorKind* find_processor(std::string_view id) { return find(kProcessors, id); }

const ExporterKind* find_exporter(std::string_view id) {
  if (const ExporterKind* kind = find(kExporters, id)) return kind;
  const std::string_view type = config::part_type(id);
  for (const ExporterKind& kind : kExporters) {
    if (!kind.other_type.empty() && kind.other_type == type) return &kind;
  }
  return nullptr;
}

std::string receivers_there_are() { return there_are(kReceivers); }
std::string processors_there_are() { return there_are(kProcessors); }
std::string exporters_there_are() { return there_are(kExporters); }

std::string help_of_receivers() { return help_of(kReceivers); }
std::string help_of_processors() { return help_of(kProcessors); }
std::string help_of_exporters() { return help_of(kExporters); }

}  // namespace vigia::collector::parts
