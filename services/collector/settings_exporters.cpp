// Exporters of a configuration.
#include <array>
#include <utility>

#include <fmt/format.h>

#include "services/collector/settings_parts.hpp"

namespace vigia::collector {
namespace {

using service::ConfigNode;
using Notes = std::vector<std::string>;

constexpr std::array<std::pair<std::string_view, exporters::ExporterKind>, 8> kKinds{{
    {"prometheusremotewrite", exporters::ExporterKind::kPrometheusRemoteWrite},
    {"prometheus_remote_write", exporters::ExporterKind::kPrometheusRemoteWrite},
    {"prometheus", exporters::ExporterKind::kPrometheus},
    {"otlp", exporters::ExporterKind::kOtlp},
    {"otlp_grpc", exporters::ExporterKind::kOtlp},  // the names that upstream has given them since
    {"otlphttp", exporters::ExporterKind::kOtlpHttp},
    {"otlp_http", exporters::ExporterKind::kOtlpHttp},
    {"debug", exporters::ExporterKind::kDebug},
}};

/// A remote write so named is a hot shard unless its key `hot_shard` says otherwise.
constexpr std::string_view kShardPrefix = "hot-";

std::optional<exporters::ExporterKind> kind_of(std::string_view type) {
  for (const auto& [name, kind] : kKinds) {
    if (name == type) return kind;
  }
  return std::nullopt;
}

void read_headers(const ConfigNode& node, exporters::ExporterSettings& exporter) {
  for (const std::string& name : node.keys()) {
    exporter.headers.emplace_back(name, node.child(name).text());
  }
}

void read_client_tls(const ConfigNode& node, exporters::ExporterSettings& exporter) {
  exporter.ca_file = node.child("ca_file").text();
  exporter.cert_file = node.child("cert_file").text();
  exporter.key_file = node.child("key_file").text();
  exporter.tls_skip_verify = node.child("insecure_skip_verify").boolean(false);
  const bool is_plain = node.child("insecure").boolean(false);
  if (is_plain && exporter.endpoint.starts_with("https://")) {
    node.child("insecure").note_error("contradicts the endpoint's https://");
  }
  // "host:4317" is how stock files write it: TLS unless they say `insecure`.
  if (exporter.kind == exporters::ExporterKind::kOtlp && !exporter.endpoint.empty() &&
      exporter.endpoint.find("://") == std::string::npos) {
    exporter.endpoint = (is_plain ? "http://" : "https://") + exporter.endpoint;
  }
}

void check_scheme(const ConfigNode& node, const exporters::ExporterSettings& exporter) {
  if (exporter.endpoint.empty() || exporter.endpoint.starts_with("http://") ||
      exporter.endpoint.starts_with("https://"))
    return;
  node.child("endpoint").note_error("must be a URL that begins with http:// or https://");
}

void read_auth(const ConfigNode& node, const Extensions& extensions,
               exporters::ExporterSettings& exporter) {
  if (!node.is_present()) return;
  const ConfigNode authenticator = node.child("authenticator");
  const auto token = extensions.bearer_tokens.find(authenticator.text());
  if (token == extensions.bearer_tokens.end()) {
    authenticator.note_error("is not a bearertokenauth described under extensions");
    return;
  }
  exporter.headers.emplace_back("Authorization", token->second);
}

void read_retry(const ConfigNode& node, exporters::ExporterSettings& exporter, Notes& notes) {
  exporter.retry_initial = node.child("initial_interval").duration(exporter.retry_initial);
  exporter.retry_max = node.child("max_interval").duration(exporter.retry_max);
  const std::string_view why = "what is acknowledged is retried until max_age";
  take_note(node.child("enabled"), why, notes);
  take_note(node.child("max_elapsed_time"), why, notes);
  take_note(node.child("multiplier"), "delays double", notes);
  take_note(node.child("randomization_factor"), "delays are jittered", notes);
}

/// What every exporter that sends has.
void read_sender(const ConfigNode& node, const Extensions& extensions,
                 exporters::ExporterSettings& exporter, Notes& notes) {
  exporter.endpoint = node.child("endpoint").required_text();
  read_headers(node.child("headers"), exporter);
  read_client_tls(node.child("tls"), exporter);
  check_scheme(node, exporter);
  read_auth(node.child("auth"), extensions, exporter);
  read_retry(node.child("retry_on_failure"), exporter, notes);
  exporter.timeout = node.child("timeout").duration(exporter.timeout);
  exporter.give_up_after = node.child("give_up_after").duration(exporter.give_up_after);
  const ConfigNode side_share = node.child("side_queue").child("customer_bytes_max");
  exporter.side_customer_bytes_max = side_share.bytes(exporter.side_customer_bytes_max);
  if (exporter.side_customer_bytes_max == 0) side_share.note_error("must be more than 0");
  exporter.compression = node.child("compression").text();
  exporter.batch_bytes_max = node.child("max_batch_size_bytes").bytes(exporter.batch_bytes_max);
  take_note(node.child("sending_queue"), "the disk log is the queue", notes);
  take_note(node.child("remote_write_queue"), "the disk log is the queue", notes);
}

}  // namespace

std::optional<exporters::ExporterSettings> read_exporter(const ConfigNode& node,
                                                         const std::string& id,
                                                         const Extensions& extensions,
                                                         Notes& notes) {
  const auto kind = kind_of(part_type(id));
  if (!kind) {
    node.note_error(
        fmt::format("\"{}\" is not an exporter of this collector; "
                    "prometheusremotewrite, prometheus, otlp, otlphttp and debug are",
                    id));
    node.accept_all();
    return std::nullopt;
  }
  exporters::ExporterSettings exporter;
  exporter.kind = *kind;
  exporter.id = id;
  exporter.name = part_name(id);
  if (*kind == exporters::ExporterKind::kPrometheusRemoteWrite)
    exporter.hot_shard = node.child("hot_shard").boolean(exporter.name.starts_with(kShardPrefix));
  exporter.required = node.child("required").boolean(false);
  exporter.max_age = node.child("max_age").duration(exporter.max_age);
  exporter.resource_labels = node.child("resource_labels").text_list();
  if (*kind == exporters::ExporterKind::kPrometheus) {
    exporter.endpoint = node.child("endpoint").text("127.0.0.1:8889");
  } else if (*kind == exporters::ExporterKind::kDebug) {
    take_note(node.child("verbosity"), "one line a batch", notes);
  } else {
    read_sender(node, extensions, exporter, notes);
  }
  return exporter;
}

}  // namespace vigia::collector
