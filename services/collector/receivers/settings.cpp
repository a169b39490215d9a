#include "services/collector/receivers/settings.hpp"

#include <algorithm>

#include "libs/service/doors.hpp"
#include "libs/service/proxies.hpp"

namespace vigia::collector::receivers {
namespace {

using service::ConfigNode;

constexpr std::uint64_t kMiB = 1ULL << 20U;

/// Upstream's keys beside those of every door of ours. What would make a door less safe than it
/// reads is an error, and no note.
std::optional<net::TlsServerSettings> read_tls(const ConfigNode& node, config::Notes& notes) {
  for (const char* key : {"cipher_suites", "curve_preferences"})
    config::refuse_key(node.child(key), "cannot be chosen: OpenSSL's own are spoken");
  for (const char* key : {"cert_pem", "key_pem", "ca_pem", "tpm"})
    config::refuse_key(node.child(key), "is not read: name files, cert_file and key_file");
  config::take_notes(node, {"ca_file", "include_system_ca_certs_pool"},
                     "clients are judged by client_ca_file alone", notes);
  return service::read_server_tls(node);
}

void read_grpc_keys(const ConfigNode& node, ReceiverSettings& door, config::Notes& notes) {
  door.is_body_configured = node.child("max_recv_msg_size_mib").is_present();
  door.body_bytes_max =
      static_cast<std::size_t>(node.child("max_recv_msg_size_mib").integer(64, 1, 1024)) * kMiB;
  config::take_note(node.child("keepalive"), "keepalive is fixed", notes);
  config::take_note(node.child("max_concurrent_streams"), "256 a connection", notes);
  config::take_notes(node, {"read_buffer_size", "write_buffer_size"}, "buffers are fixed", notes);
}

void read_http_keys(const ConfigNode& node, ReceiverSettings& door, config::Notes& notes) {
  door.is_body_configured = node.child("max_request_body_size").is_present();
  door.body_bytes_max =
      static_cast<std::size_t>(node.child("max_request_body_size")
                                   .integer(64 * static_cast<std::int64_t>(kMiB), 1024,
                                            1024 * static_cast<std::int64_t>(kMiB)));
  config::take_notes(node, {"read_timeout", "read_header_timeout", "write_timeout", "idle_timeout"},
                     "times of a connection are fixed", notes);
  config::take_note(node.child("keep_alives_enabled"), "connections are kept", notes);
  config::take_note(node.child("compression_algorithms"), "all codings that there are stay read",
                    notes);
  config::take_note(node.child("cors"), "pages in browsers are not answered to", notes);
  config::take_note(node.child("response_headers"), "answers have their own headers alone", notes);
}

ReceiverSettings read_door(const ConfigNode& node, const std::string& id,
                           const std::string& protocol, std::string_view endpoint,
                           config::Notes& notes) {
  ReceiverSettings door;
  door.id = id;
  door.protocol = protocol;
  door.endpoint = service::read_listen(node.child("endpoint"), endpoint);
  door.tls = read_tls(node.child("tls"), notes);
  door.trusted_proxies = service::read_trusted_proxies(node.child("trusted_proxies"));
  const ConfigNode auth = node.child("auth");
  // The type is compared, not the id: what stands behind the slash is the operator's.
  if (config::part_type(auth.child("authenticator").text()) != "vigia_auth") {
    auth.note_error(
        "authenticator must be vigia_auth: without a token there is no customer to keep data for");
  }
  if (protocol == "grpc")
    read_grpc_keys(node, door, notes);
  else
    read_http_keys(node, door, notes);
  if (const ConfigNode transport = node.child("transport"); transport.text("tcp") != "tcp")
    transport.note_error("must be tcp");
  config::refuse_key(node.child("middlewares"), "there are none");
  config::take_note(node.child("include_metadata"), "headers are not passed on", notes);
  return door;
}

std::string read_path(const ConfigNode& node, const std::string& fallback) {
  std::string path = node.text(fallback);
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  // It is compared as it stands in the request's line: what would be escaped there never matches.
  const bool is_plain = std::all_of(path.begin(), path.end(), [](char letter) {
    return letter > ' ' && letter < 0x7f && letter != '?' && letter != '#' && letter != '%';
  });
  if (!is_plain) node.note_error("must be a path, such as /v1/traces, without ?, # and escapes");
  return path;
}

vigia::otlp::HttpPaths read_paths(const ConfigNode& node) {
  vigia::otlp::HttpPaths paths;
  paths.metrics = read_path(node.child("metrics_url_path"), paths.metrics);
  paths.traces = read_path(node.child("traces_url_path"), paths.traces);
  paths.logs = read_path(node.child("logs_url_path"), paths.logs);
  if (paths.metrics == paths.traces || paths.metrics == paths.logs || paths.traces == paths.logs)
    node.note_error("two signals have one path: metrics_url_path, traces_url_path, logs_url_path");
  return paths;
}

}  // namespace

std::vector<ReceiverSettings> read_otlp_receiver(const ConfigNode& node, const std::string& id,
                                                 config::Notes& notes) {
  std::vector<ReceiverSettings> doors;
  const ConfigNode protocols = node.child("protocols");
  const ConfigNode grpc = protocols.child("grpc");
  const ConfigNode http = protocols.child("http");
  const vigia::otlp::HttpPaths paths = read_paths(http);
  if (grpc.is_present()) doors.push_back(read_door(grpc, id, "grpc", "127.0.0.1:4317", notes));
  if (http.is_present()) doors.push_back(read_door(http, id, "http", "127.0.0.1:4318", notes));
  for (ReceiverSettings& door : doors) door.paths = paths;
  if (doors.empty()) node.note_error("protocols must describe grpc, http or both");
  return doors;
}

std::vector<ReceiverSettings> read_remote_write_receiver(const ConfigNode& node,
                                                         const std::string& id,
                                                         config::Notes& notes) {
  // Upstream's default port is that of a Prometheus itself, which here is the hot store's.
  std::vector<ReceiverSettings> doors{read_door(node, id, "http", "127.0.0.1:9201", notes)};
  doors.front().is_remote_write = true;
  return doors;
}

}  // namespace vigia::collector::receivers
