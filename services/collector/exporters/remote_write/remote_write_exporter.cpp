#include "services/collector/exporters/remote_write/remote_write_exporter.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "libs/wire/remote_write/write_request_2.hpp"
#include "services/collector/exporters/http_transport.hpp"
#include "services/collector/exporters/remote_write/remote_write_transport.hpp"
#include "services/collector/exporters/remote_write/series_packer.hpp"
#include "services/collector/exporters/remote_write/utf8_guard.hpp"
#include "services/collector/exporters/series_keys.hpp"
#include "services/collector/exporters/translation_settings.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

/// One so named is a hot shard unless its key `hot_shard` says otherwise.
constexpr std::string_view kShardPrefix = "hot-";

/// As many as there are places for further requests of all customers.
constexpr std::int64_t kShardsMost = delivery::DeliverySettings{}.in_flight_max / 2;
constexpr std::int64_t kShardsDefault = kShardsMost;

/// As customers' ids are; not what is read as a boolean elsewhere, which would be meant.
bool is_shard_name(std::string text) {
  const auto is_good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  };
  if (text.empty() || text.front() == '-' || !std::all_of(text.begin(), text.end(), is_good)) {
    return false;
  }
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array kBooleans{"true", "false", "yes", "no", "on", "off"};
  return std::find(kBooleans.begin(), kBooleans.end(), text) == kBooleans.end();
}

/// True, false, or the name of the shard, where it is another than the exporter's: that of a pair,
/// which two exporters write.
std::string read_shard(const service::ConfigNode& node, const std::string& name) {
  const std::string text = node.text(name.starts_with(kShardPrefix) ? "true" : "false");
  if (text == "false") return "";
  if (text == "true") return name;
  if (!is_shard_name(text)) {
    node.note_error("must be true, false, or the name of the shard of which it is a member");
  }
  return text;
}

std::string file_name(std::string exporter) {
  std::replace(exporter.begin(), exporter.end(), '/', '~');
  return exporter;
}

/// A hot shard is told by marks how far it is whole, any other store of its holes alone.
std::unique_ptr<marks::Marks> make_marks(const ExporterSettings& settings,
                                         const ExporterParts& parts,
                                         delivery::MessageTransport& transport) {
  const std::string state_file = parts.data_directory + "/heartbeats/" + file_name(settings.id);
  if (Routing(settings).is_shard())
    return marks::make_hot_marks({settings.hot_shard, parts.collector_id, state_file}, transport,
                                 parts.clock, parts.time);
  return marks::make_cold_marks({parts.collector_id, state_file}, transport, parts.clock,
                                parts.time);
}

/// As upstream writes it; absent: 2.0 where the destination speaks it. So is 2.0 itself, for one
/// that does not would take nothing.
bool reads_only_1(const service::ConfigNode& node) {
  const std::string text = node.text();
  if (text == wire::remote_write::kMessage1) return true;
  if (!text.empty() && text != wire::remote_write::kMessage2)
    node.note_error(fmt::format("must be {} or {}", wire::remote_write::kMessage2,
                                wire::remote_write::kMessage1));
  return false;
}

}  // namespace

MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& context) {
  settings.may_be_shard = true;
  settings.makes_series = true;
  settings.translation = read_translation(node);
  read_other_series_keys(node, context.notes);
  settings.hot_shard = read_shard(node.child("hot_shard"), settings.name);
  const RemoteWriteSettings remote{reads_only_1(node.child("protobuf_message"))};
  SenderSettings sender = read_sender(node, BareEndpoint::kRefused, context);
  sender.push.shards_max =
      static_cast<std::size_t>(node.child("max_shards").integer(kShardsDefault, 1, kShardsMost));
  return [sender, remote](const ExporterSettings& known, const ExporterParts& parts) {
    return make(known, sender, parts, remote);
  };
}

Means means_of(const ExporterSettings& settings, const ExporterParts& parts,
               std::unique_ptr<delivery::MessageTransport> transport) {
  const auto translation = exported_translation(settings.translation, parts.judging);
  auto packer = make_series_packer(translation, parts.series);
  if (parts.shared != nullptr) {
    delivery::SharedPacks& packs = parts.shared->packs;
    packer = delivery::share_packs(std::move(packer), packs, packs.join(translation));
  }
  Means means{std::move(transport), std::move(packer),
              delivery::remote_write_probe(settings.id, parts.collector_id)};
  means.marks = make_marks(settings, parts, *means.transport);
  return means;
}

Result<std::unique_ptr<Exporter>> make(const ExporterSettings& settings,
                                       const SenderSettings& sender, const ExporterParts& parts,
                                       const RemoteWriteSettings& remote) {
  if (auto url = check_endpoint(settings.id, sender.http.endpoint); !url) return forward(url);
  delivery::SharedRequests* const requests =
      parts.shared != nullptr && !remote.only_1 ? &parts.shared->requests : nullptr;
  auto transport = make_transport(
      sender.http, parts.client,
      std::make_shared<Negotiation>(Negotiation::Settings{settings.id, remote.only_1}, parts.clock,
                                    parts.metrics),
      parts.clock, requests);
  if (keeps_utf8(settings.translation.strategy))
    transport = guard_utf8(std::move(transport), sender.http, parts.client, parts.clock);
  return std::make_unique<PushExporter>(settings, sender.push, parts,
                                        means_of(settings, parts, std::move(transport)));
}

}  // namespace vigia::collector::exporters::remote_write
