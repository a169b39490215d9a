#include "services/collector/receivers/settings.hpp"

#include "libs/service/doors.hpp"
#include "libs/service/proxies.hpp"

namespace vigia::collector::receivers {
namespace {

using service::ConfigNode;

constexpr std::uint64_t kMiB = 1ULL << 20U;

ReceiverSettings read_door(const ConfigNode& node, const std::string& id,
                           const std::string& protocol, std::string_view endpoint,
                           config::Notes& notes) {
  ReceiverSettings door;
  door.id = id;
  door.protocol = protocol;
  door.endpoint = service::read_listen(node.child("endpoint"), endpoint);
  door.tls = service::read_server_tls(node.child("tls"));
  door.trusted_proxies = service::read_trusted_proxies(node.child("trusted_proxies"));
  const ConfigNode auth = node.child("auth");
  // The type is compared, not the id: what stands behind the slash is the operator's.
  if (config::part_type(auth.child("authenticator").text()) != "vigia_auth") {
    auth.note_error(
        "authenticator must be vigia_auth: without a token there is no customer to keep data for");
  }
  if (protocol == "grpc") {
    door.is_body_configured = node.child("max_recv_msg_size_mib").is_present();
    door.body_bytes_max =
        static_cast<std::size_t>(node.child("max_recv_msg_size_mib").integer(64, 1, 1024)) * kMiB;
    config::take_note(node.child("keepalive"), "keepalive is fixed", notes);
    config::take_note(node.child("max_concurrent_streams"), "256 a connection", notes);
    config::take_note(node.child("read_buffer_size"), "buffers are fixed", notes);
    config::take_note(node.child("write_buffer_size"), "buffers are fixed", notes);
  } else {
    door.is_body_configured = node.child("max_request_body_size").is_present();
    door.body_bytes_max =
        static_cast<std::size_t>(node.child("max_request_body_size")
                                     .integer(64 * static_cast<std::int64_t>(kMiB), 1024,
                                              1024 * static_cast<std::int64_t>(kMiB)));
  }
  config::take_note(node.child("include_metadata"), "headers are not passed on", notes);
  return door;
}

}  // namespace

std::vector<ReceiverSettings> read_otlp_receiver(const ConfigNode& node, const std::string& id,
                                                 config::Notes& notes) {
  std::vector<ReceiverSettings> doors;
  const ConfigNode protocols = node.child("protocols");
  const ConfigNode grpc = protocols.child("grpc");
  const ConfigNode http = protocols.child("http");
  if (grpc.is_present()) doors.push_back(read_door(grpc, id, "grpc", "127.0.0.1:4317", notes));
  if (http.is_present()) doors.push_back(read_door(http, id, "http", "127.0.0.1:4318", notes));
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
