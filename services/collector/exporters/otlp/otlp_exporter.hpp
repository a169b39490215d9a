// OTLP, over gRPC or HTTP: bodies as they were acknowledged.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/exporters/exporter.hpp"
#include "services/collector/exporters/push_exporter.hpp"
#include "services/collector/exporters/sender_settings.hpp"

namespace vigia::collector::exporters::otlp {

/// Reads the keys of either kind.
MakeExporter read_grpc(const service::ConfigNode& node, ExporterSettings& settings,
                       const config::PartContext& context);
MakeExporter read_http(const service::ConfigNode& node, ExporterSettings& settings,
                       const config::PartContext& context);

/// kInvalid where the endpoint is no URL.
Result<std::unique_ptr<Exporter>> make_grpc(const ExporterSettings& settings,
                                            const SenderSettings& sender,
                                            const ExporterParts& parts);
Result<std::unique_ptr<Exporter>> make_http(const ExporterSettings& settings,
                                            const SenderSettings& sender,
                                            const ExporterParts& parts);
/// What it sends and how, `transport` being the way.
Means means_of(const ExporterSettings& settings,
               std::unique_ptr<delivery::MessageTransport> transport);

}  // namespace vigia::collector::exporters::otlp
