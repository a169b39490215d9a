// Remote write, 2.0 or 1.0: to a hot shard, which answers fresh questions, or to a store that keeps
// all.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/exporters/exporter.hpp"
#include "services/collector/exporters/push_exporter.hpp"
#include "services/collector/exporters/sender_settings.hpp"

namespace vigia::collector::exporters::remote_write {

struct RemoteWriteSettings {
  bool only_1 = false;  ///< 2.0 is not tried
};

/// Reads the kind's keys; what it says of routing goes into `settings`.
MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& context);

/// kInvalid where the endpoint is no URL.
Result<std::unique_ptr<Exporter>> make(const ExporterSettings& settings,
                                       const SenderSettings& sender, const ExporterParts& parts,
                                       const RemoteWriteSettings& remote = {});
/// What it sends and how, `transport` being the way.
Means means_of(const ExporterSettings& settings, const ExporterParts& parts,
               std::unique_ptr<delivery::MessageTransport> transport);

}  // namespace vigia::collector::exporters::remote_write
