#include "services/collector/settings_parts.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "libs/service/doors.hpp"
#include "libs/service/proxies.hpp"

namespace vigia::collector {
namespace {

using service::ConfigNode;
using Notes = std::vector<std::string>;

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::int64_t kMiBMax = 1LL << 30;
constexpr std::int64_t kCollectorsMax = 1000;

ReceiverSettings read_door(const ConfigNode& node, const std::string& id,
                           const std::string& protocol, std::string_view endpoint, Notes& notes) {
  ReceiverSettings door;
  door.id = id;
  door.protocol = protocol;
  door.endpoint = service::read_listen(node.child("endpoint"), endpoint);
  door.tls = service::read_server_tls(node.child("tls"));
  door.trusted_proxies = service::read_trusted_proxies(node.child("trusted_proxies"));
  const ConfigNode auth = node.child("auth");
  // The type is compared, not the id: what stands behind the slash is the operator's.
  if (part_type(auth.child("authenticator").text()) != "vigia_auth") {
    auth.note_error(
        "authenticator must be vigia_auth: without a token there is no customer to keep data for");
  }
  if (protocol == "grpc") {
    door.is_body_configured = node.child("max_recv_msg_size_mib").is_present();
    door.body_bytes_max =
        static_cast<std::size_t>(node.child("max_recv_msg_size_mib").integer(64, 1, 1024)) * kMiB;
    take_note(node.child("keepalive"), "keepalive is fixed", notes);
    take_note(node.child("max_concurrent_streams"), "256 a connection", notes);
    take_note(node.child("read_buffer_size"), "buffers are fixed", notes);
    take_note(node.child("write_buffer_size"), "buffers are fixed", notes);
  } else {
    door.is_body_configured = node.child("max_request_body_size").is_present();
    door.body_bytes_max =
        static_cast<std::size_t>(node.child("max_request_body_size")
                                     .integer(64 * static_cast<std::int64_t>(kMiB), 1024,
                                              1024 * static_cast<std::int64_t>(kMiB)));
  }
  take_note(node.child("include_metadata"), "headers are not passed on", notes);
  return door;
}

void read_vigia_auth(const ConfigNode& node, Settings& settings) {
  settings.directory = tenancy::read_directory_settings(node.child("directory"));
  const ConfigNode missing = node.child("missing_customer");
  const std::string choice = missing.text("refuse");
  if (choice != "fill" && choice != "refuse") missing.note_error("must be fill or refuse");
  settings.fills_missing_customer = choice == "fill";
  settings.collectors =
      static_cast<std::uint32_t>(node.child("collectors").integer(1, 1, kCollectorsMax));
}

void read_file_storage(const ConfigNode& node, Settings& settings, Notes& notes) {
  StorageSettings& storage = settings.storage;
  storage.directory = node.child("directory").required_text();
  storage.bytes_max = node.child("bytes_max").bytes(storage.bytes_max);
  storage.segment_bytes = node.child("segment_bytes").bytes(storage.segment_bytes);
  storage.customer_share = node.child("customer_share").number(storage.customer_share, 0, 1);
  take_note(node.child("create_directory"), "the folder is always created", notes);
  take_note(node.child("fsync"), "every acknowledgement follows an fdatasync", notes);
  take_note(node.child("timeout"), "one process holds the folder, others are refused", notes);
  take_note(node.child("compaction"), "segments are removed whole", notes);
}

std::string read_bearer(const ConfigNode& node) {
  const std::string scheme = node.child("scheme").text("Bearer");
  std::string token = node.child("token").text();
  if (const ConfigNode file = node.child("filename"); file.is_present()) {
    std::ifstream content(file.text());
    // A line, not the file: editors put a newline at the end, which is no part of a token.
    std::getline(content, token);
    if (!content) file.note_error("the file cannot be read or is empty");
  }
  if (token.empty()) node.note_error("give a token or a filename");
  return scheme.empty() ? token : scheme + " " + token;
}

}  // namespace

std::string_view part_type(std::string_view id) { return id.substr(0, id.find('/')); }

std::string_view part_name(std::string_view id) {
  const std::size_t slash = id.find('/');
  return slash == std::string_view::npos ? std::string_view{} : id.substr(slash + 1);
}

void take_note(const ConfigNode& node, std::string_view why, Notes& notes) {
  if (!node.is_present()) return;
  node.accept_all();
  notes.push_back(fmt::format("line {}: {} has no effect: {}", node.line(), node.path(), why));
}

Extensions read_extensions(const ConfigNode& node, Settings& settings) {
  Extensions extensions;
  for (const std::string& id : node.keys()) {
    const ConfigNode part = node.child(id);
    extensions.ids.insert(id);
    const std::string_view type = part_type(id);
    if (type == "health_check") {
      extensions.health_id = id;
      extensions.health_endpoint = part.child("endpoint").text("127.0.0.1:13133");
    } else if (type == "vigia_auth") {
      extensions.auth_id = id;
      read_vigia_auth(part, settings);
    } else if (type == "file_storage") {
      read_file_storage(part, settings, settings.notes);
    } else if (type == "bearertokenauth") {
      extensions.bearer_tokens[id] = read_bearer(part);
    } else {
      part.note_error(
          fmt::format("\"{}\" is not an extension of this collector; health_check, "
                      "vigia_auth, file_storage and bearertokenauth are",
                      id));
      part.accept_all();
    }
  }
  if (extensions.auth_id.empty()) node.note_error("vigia_auth is needed: who may send");
  if (settings.storage.directory.empty()) {
    node.note_error("file_storage is needed: where acknowledged data lies");
  }
  return extensions;
}

std::vector<ReceiverSettings> read_otlp_receiver(const ConfigNode& node, const std::string& id,
                                                 Notes& notes) {
  std::vector<ReceiverSettings> doors;
  const ConfigNode protocols = node.child("protocols");
  const ConfigNode grpc = protocols.child("grpc");
  const ConfigNode http = protocols.child("http");
  if (grpc.is_present()) doors.push_back(read_door(grpc, id, "grpc", "127.0.0.1:4317", notes));
  if (http.is_present()) doors.push_back(read_door(http, id, "http", "127.0.0.1:4318", notes));
  if (doors.empty()) node.note_error("protocols must describe grpc, http or both");
  return doors;
}

/// Of the memory limit, for what is known of series. The rest is bodies, the log's room and the
/// exporters' windows: 5/8 of a small limit, but no more than this of a large one, so that 1,500
/// MiB know the 7.5 million series of 5,000 nodes at some 150 bytes each.
std::uint64_t series_share(std::uint64_t limit_bytes) {
  constexpr std::uint64_t kRestMax = 384 * kMiB;
  return limit_bytes - std::min(limit_bytes / 8 * 5, kRestMax);
}

void read_processor(const ConfigNode& node, const std::string& id, bool is_used,
                    Settings& settings) {
  const std::string_view type = part_type(id);
  if (type == "memory_limiter") {
    const auto limit = node.child("limit_mib").integer(0, 1, kMiBMax);
    const auto spike = node.child("spike_limit_mib").integer(0, 0, kMiBMax);
    take_note(node.child("check_interval"), "memory is looked at five times a second",
              settings.notes);
    if (limit <= spike) node.note_error("limit_mib must be given, and above spike_limit_mib");
    // Read all the same, so that its mistakes are told although no pipeline names it.
    if (!is_used) return;
    settings.memory_limit_bytes = static_cast<std::uint64_t>(limit - spike) * kMiB;
    settings.series_cache_bytes = series_share(settings.memory_limit_bytes);
  } else if (type == "batch") {
    for (const char* key : {"timeout", "send_batch_size", "send_batch_max_size", "metadata_keys"}) {
      take_note(node.child(key), "exporters gather batches from the disk log by themselves",
                settings.notes);
    }
  } else {
    node.note_error(fmt::format(
        "\"{}\" is not a processor of this collector; memory_limiter and batch are", id));
    node.accept_all();
  }
}

}  // namespace vigia::collector
