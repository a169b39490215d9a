#include "services/collector/exporters/otlp/otlp_exporter.hpp"

#include <algorithm>
#include <utility>

#include "services/collector/delivery/body_packer.hpp"
#include "services/collector/exporters/http_transport.hpp"
#include "services/collector/exporters/otlp/otlp_transports.hpp"

namespace vigia::collector::exporters::otlp {
namespace {

using Make = Result<std::unique_ptr<Exporter>> (*)(const ExporterSettings&, const SenderSettings&,
                                                   const ExporterParts&);
using MakeTransport = std::unique_ptr<delivery::MessageTransport> (*)(const HttpSettings&,
                                                                      net::Client&);

MakeExporter with(SenderSettings sender, Make make) {
  return [sender = std::move(sender), make](const ExporterSettings& settings,
                                            const ExporterParts& parts) {
    return make(settings, sender, parts);
  };
}

Result<std::unique_ptr<Exporter>> make_by(MakeTransport make_transport,
                                          const ExporterSettings& settings,
                                          const SenderSettings& sender,
                                          const ExporterParts& parts) {
  if (auto url = check_endpoint(settings.id, sender.http.endpoint); !url) return forward(url);
  return std::make_unique<PushExporter>(
      settings, sender.push, parts, means_of(settings, make_transport(sender.http, parts.client)));
}

/// Bodies go as they came, to the paths of the signals behind one endpoint.
void read_own_keys(const service::ConfigNode& node) {
  const service::ConfigNode compression = node.child("compression");
  const std::string coding = compression.text();
  if (!coding.empty() && coding != "none" && coding != "gzip" && coding != "zstd")
    compression.note_error("must be gzip, zstd or none");
  for (const char* key :
       {"traces_endpoint", "metrics_endpoint", "logs_endpoint", "profiles_endpoint"})
    config::refuse_key(node.child(key), "is not read: a signal goes to its path behind endpoint");
  if (const auto encoding = node.child("encoding"); encoding.text("proto") != "proto")
    encoding.note_error("must be proto");
}

}  // namespace

MakeExporter read_grpc(const service::ConfigNode& node, ExporterSettings& /*settings*/,
                       const config::PartContext& context) {
  read_own_keys(node);
  return with(read_sender(node, BareEndpoint::kTls, context), make_grpc);
}

MakeExporter read_http(const service::ConfigNode& node, ExporterSettings& /*settings*/,
                       const config::PartContext& context) {
  read_own_keys(node);
  return with(read_sender(node, BareEndpoint::kRefused, context), make_http);
}

Means means_of(const ExporterSettings& settings,
               std::unique_ptr<delivery::MessageTransport> transport) {
  const Signal probed = settings.signals.empty() ? Signal::kTraces : settings.signals.front();
  const std::uint32_t items_max =
      settings.request_items_max == 0
          ? delivery::kUnitItemsMax
          : std::min(delivery::kUnitItemsMax, settings.request_items_max);
  return {std::move(transport), delivery::make_body_packer(items_max),
          delivery::empty_probe(probed)};
}

Result<std::unique_ptr<Exporter>> make_grpc(const ExporterSettings& settings,
                                            const SenderSettings& sender,
                                            const ExporterParts& parts) {
  return make_by(make_grpc_transport, settings, sender, parts);
}

Result<std::unique_ptr<Exporter>> make_http(const ExporterSettings& settings,
                                            const SenderSettings& sender,
                                            const ExporterParts& parts) {
  return make_by(make_http_transport, settings, sender, parts);
}

}  // namespace vigia::collector::exporters::otlp
