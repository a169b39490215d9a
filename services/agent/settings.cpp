#include "services/agent/settings.hpp"

#include <utility>

#include "libs/base/utf8.hpp"
#include "libs/net/bearer_token.hpp"
#include "libs/service/doors.hpp"
#include "services/agent/own_address.hpp"

namespace vigia::agent {

namespace {

constexpr Duration kIntervalMin = std::chrono::seconds(1);
constexpr Duration kIntervalMax = std::chrono::hours(1);
constexpr std::uint64_t kBufferBytesMin = 4ULL << 20U;  // a few segments, so that the oldest can go
constexpr Duration kBufferAgeMin = std::chrono::minutes(1);

/// A secret that comes from a file or an environment often ends with a line feed.
std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1));
}

std::string read_token(const service::ConfigNode& node) {
  std::string token = trimmed(node.text());
  if (node.is_present() && token.empty())
    node.note_error("is empty: give the token, or leave the key out to send none");
  if (!token.empty() && !net::is_token68(token))
    node.note_error("holds blanks or characters inside that no token has");
  return token;
}

sender::CollectorSettings read_collector(const service::ConfigNode& node) {
  sender::CollectorSettings settings;
  const auto endpoint = node.child("endpoint");
  settings.endpoint = endpoint.required_text();
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (!settings.endpoint.empty() && !is_endpoint(settings.endpoint)) {
    endpoint.note_error("is not http://host:port or https://host:port");
  }
  const auto protocol = node.child("protocol");
  const std::string protocol_text = protocol.text("grpc");
  if (protocol_text != "grpc" && protocol_text != "http") {
    protocol.note_error("\"" + protocol_text + "\" is neither grpc nor http");
  }
  settings.protocol = protocol_text == "http" ? otlp::Protocol::kHttp : otlp::Protocol::kGrpc;
  settings.token = read_token(node.child("token"));
  const auto compression = node.child("compression");
  settings.compression = compression.text("gzip");
  if (settings.compression != "gzip" && settings.compression != "zstd" &&
      settings.compression != "none") {
    compression.note_error("\"" + settings.compression + "\" is none of gzip, zstd, none");
  }
  if (settings.compression == "none") settings.compression.clear();
  const auto timeout = node.child("timeout");
  settings.timeout = timeout.duration(settings.timeout);
  if (settings.timeout < std::chrono::milliseconds(100)) timeout.note_error("is below 100ms");
  const auto tls = node.child("tls");
  if (tls.is_present()) {
    settings.tls = net::TlsClientSettings{
        tls.child("ca_file").text(), tls.child("cert_file").text(), tls.child("key_file").text()};
    if (settings.tls->cert_file.empty() != settings.tls->key_file.empty()) {
      tls.note_error("cert_file and key_file go together");
    }
  }
  return settings;
}

std::string read_listen(const service::ConfigNode& node, const std::string& fallback,
                        bool may_be_off) {
  std::string listen = node.text(fallback);
  if (listen.empty() && may_be_off) return listen;
  if (!is_address(listen)) node.note_error("\"" + listen + "\" is not host:port");
  return listen;
}

health::HealthSettings read_health(const service::ConfigNode& node) {
  health::HealthSettings settings;
  settings.listen = read_listen(node.child("listen"), settings.listen, false);
  settings.token = read_token(node.child("token"));
  settings.tls = service::read_server_tls(node.child("tls"));
  return settings;
}

buffer::BufferSettings read_buffer(const service::ConfigNode& node) {
  buffer::BufferSettings settings;
  settings.directory = node.child("directory").text(settings.directory);
  const auto bytes_max = node.child("bytes_max");
  settings.bytes_max = bytes_max.bytes(settings.bytes_max);
  if (settings.bytes_max < kBufferBytesMin) bytes_max.note_error("is below 4MiB");
  const auto age_max = node.child("age_max");
  settings.age_max = age_max.duration(settings.age_max);
  if (settings.age_max < kBufferAgeMin) age_max.note_error("is below 1m");
  return settings;
}

Duration read_interval(const service::ConfigNode& node) {
  const Duration interval = node.duration(std::chrono::seconds(15));
  if (interval < kIntervalMin || interval > kIntervalMax) node.note_error("is not 1s to 1h");
  if (interval % std::chrono::milliseconds(1) != Duration::zero()) {
    node.note_error("is not a whole number of milliseconds");
  }
  return interval;
}

void check_relay(const service::ConfigNode& root, const sender::CollectorSettings& collector,
                 const relay::RelaySettings& relay) {
  for (const std::string& listen : {relay.grpc, relay.http}) {
    if (listen.empty() || !is_own_address(collector.endpoint, listen)) continue;
    root.child("collector")
        .child("endpoint")
        .note_error(
            "is this agent's own relay (" + listen +
            "): data would go round in a circle; name the collector's address or move relay");
  }
}

/// Texts that go into every resource: as OTLP wants them, and short.
std::string read_attribute(const service::ConfigNode& node) {
  constexpr std::size_t kAttributeBytesMax = 256;
  std::string text = node.text();
  if (!is_utf8(text)) node.note_error("is not UTF-8");
  if (text.size() > kAttributeBytesMax) node.note_error("is longer than 256 bytes");
  return text;
}

/// A list that is there stands in place of the default, also where it is empty.
void read_patterns(const service::ConfigNode& node, std::vector<std::string>& patterns) {
  if (node.is_present()) patterns = node.text_list();
}

host::HostPaths read_host(const service::ConfigNode& node) {
  host::HostPaths paths;
  paths.proc = node.child("proc").text(paths.proc);
  paths.sys = node.child("sys").text(paths.sys);
  paths.root = node.child("root").text(paths.root);
  const auto connections = node.child("connections");
  const std::string text = connections.text("count");
  if (text != "count" && text != "list") {
    connections.note_error("\"" + text + "\" is neither count nor list");
  }
  paths.lists_connections = text == "list";
  const auto filesystems = node.child("filesystems");
  read_patterns(filesystems.child("exclude_mounts"), paths.excludes.mounts);
  read_patterns(filesystems.child("exclude_types"), paths.excludes.types);
  read_patterns(node.child("interfaces").child("exclude"), paths.excludes.interfaces);
  return paths;
}

/// An id, or a stand-in whose error is noted.
template <typename Id>
Id read_id(const service::ConfigNode& node, std::string_view fallback) {
  const std::string text = node.required_text();
  auto id = Id::parse(text);
  if (!id && !text.empty()) node.note_error(id.error().message);
  // Never used: the noted error ends the start. It lets the other keys be read, for their errors.
  return id ? *id : *Id::parse(fallback);
}

host::NodeSettings read_node(const service::ConfigNode& root) {
  const auto customer = root.child("customer");
  const auto node = root.child("node");
  return {.customer = read_id<CustomerId>(customer.child("id"), "unnamed"),
          .customer_name = read_attribute(customer.child("name")),
          .node = read_id<NodeId>(node.child("id"), "unnamed"),
          .region = read_attribute(node.child("region")),
          .environment = read_attribute(root.child("environment"))};
}

relay::RelaySettings read_relay(const service::ConfigNode& node) {
  return {read_listen(node.child("grpc"), relay::RelaySettings{}.grpc, true),
          read_listen(node.child("http"), relay::RelaySettings{}.http, true)};
}

}  // namespace

Result<Settings> read_settings(const service::ConfigFile& file) {
  const auto root = file.root();
  // In the order of the file, so that its errors are told in that order.
  auto node = read_node(root);
  auto collector = read_collector(root.child("collector"));
  const Duration interval = read_interval(root.child("interval"));
  auto health = read_health(root.child("health"));
  auto relay = read_relay(root.child("relay"));
  auto buffer = read_buffer(root.child("buffer"));
  auto host = read_host(root.child("host"));
  Settings settings{.collector = std::move(collector),
                    .health = std::move(health),
                    .relay = std::move(relay),
                    .buffer = std::move(buffer),
                    .telemetry = {std::move(node), std::move(host), interval}};
  check_relay(root, settings.collector, settings.relay);
  if (auto finished = file.finish(); !finished) return forward(finished);
  return settings;
}

std::string settings_help() {
  return R"(customer: {id: cliente-a, name: Empresa XYZ}   # id required
node: {id: prod-web-01, region: us-east-1}     # id required
environment: production
collector:
  endpoint: "https://collector.example:4317"   # required; http:// sends without TLS
  protocol: grpc                               # or http
  token: "${env:VIGIA_TOKEN}"
  compression: gzip                            # or zstd, none
  timeout: 10s
  tls: {ca_file: "", cert_file: "", key_file: ""}
interval: 15s                                  # from 1s, whole milliseconds
health: {listen: "0.0.0.0:8080"}               # tls: {cert_file, key_file}, token: optional
relay: {grpc: "127.0.0.1:4317", http: "127.0.0.1:4318"}   # "" turns one off
buffer: {directory: /var/lib/vigia-agent, bytes_max: 512MiB, age_max: 24h}
host: {proc: /proc, sys: /sys, root: /}        # connections: list counts TCP sockets in all states
  # filesystems: {exclude_mounts: ["/var/lib/docker/*", …], exclude_types: [nfs4]}
  # interfaces: {exclude: ["veth*", …]}        # patterns as the shell's; a list stands in place of
  #                                            # the default, which leaves out containers (README)
)";
}

}  // namespace vigia::agent
