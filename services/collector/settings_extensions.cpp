#include "services/collector/settings_extensions.hpp"

#include <fstream>

#include <fmt/format.h>

#include "libs/service/doors.hpp"

namespace vigia::collector {
namespace {

using service::ConfigNode;

constexpr std::int64_t kCollectorsMax = 1000;
constexpr std::int64_t kDeltaStreamsMax = 10'000'000;

void read_vigia_auth(const ConfigNode& node, Settings& settings) {
  settings.directory = tenancy::read_directory_settings(node.child("directory"));
  const ConfigNode missing = node.child("missing_customer");
  const std::string choice = missing.text("refuse");
  if (choice != "fill" && choice != "refuse") missing.note_error("must be fill or refuse");
  settings.fills_missing_customer = choice == "fill";
  settings.collectors =
      static_cast<std::uint32_t>(node.child("collectors").integer(1, 1, kCollectorsMax));
  settings.are_senders_sticky = node.child("sticky_senders").boolean(false);
  settings.delta_streams = static_cast<std::uint64_t>(
      node.child("delta_streams")
          .integer(static_cast<std::int64_t>(settings.delta_streams), 0, kDeltaStreamsMax));
}

void read_file_storage(const ConfigNode& node, Settings& settings, config::Notes& notes) {
  StorageSettings& storage = settings.storage;
  storage.directory = node.child("directory").required_text();
  storage.bytes_max = node.child("bytes_max").bytes(storage.bytes_max);
  storage.segment_bytes = node.child("segment_bytes").bytes(storage.segment_bytes);
  storage.customer_share = node.child("customer_share").number(storage.customer_share, 0, 1);
  config::take_note(node.child("create_directory"), "the folder is always created", notes);
  config::take_note(node.child("fsync"), "every acknowledgement follows an fdatasync", notes);
  config::take_note(node.child("timeout"), "one process holds the folder, others are refused",
                    notes);
  config::take_notes(node, {"compaction", "max_size"}, "segments are removed whole", notes);
  config::take_notes(node, {"directory_permissions", "recreate"}, "its folder is its own", notes);
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

void read_health_check(const ConfigNode& node, Extensions& extensions, config::Notes& notes) {
  extensions.health_endpoint = node.child("endpoint").text("127.0.0.1:13133");
  const ConfigNode path = node.child("path");
  extensions.health_path = path.text("/");
  if (!extensions.health_path.starts_with('/')) path.note_error("must begin with /");
  extensions.health_tls = service::read_server_tls(node.child("tls"));
  config::take_note(node.child("response_body"), "the answer says how the collector is", notes);
  config::take_note(node.child("check_collector_pipeline"), "exporters are looked at always",
                    notes);
}

}  // namespace

Extensions read_extensions(const ConfigNode& node, Settings& settings) {
  Extensions extensions;
  for (const std::string& id : node.keys()) {
    const ConfigNode part = node.child(id);
    extensions.ids.insert(id);
    const std::string_view type = config::part_type(id);
    if (type == "health_check") {
      extensions.health_id = id;
      read_health_check(part, extensions, settings.notes);
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
  return extensions;
}

void check_needed(const ConfigNode& node, const Extensions& extensions, const Settings& settings) {
  if (extensions.auth_id.empty()) node.note_error("vigia_auth is needed: who may send");
  if (settings.storage.directory.empty()) {
    node.note_error("file_storage is needed: where acknowledged data lies");
  }
}

}  // namespace vigia::collector
