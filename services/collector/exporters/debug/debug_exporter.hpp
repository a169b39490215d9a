// The exporter that only says what came.
#pragma once

#include <vector>

#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/exporters/log_exporter.hpp"

namespace vigia::collector::exporters::debug {

/// Logs how many records and items came, one line a window.
class DebugExporter final : public LogExporter {
 public:
  DebugExporter(const ExporterSettings& settings, const ExporterParts& parts);
  ~DebugExporter() override;

 protected:
  void add(std::uint32_t index, WindowRecord& record, bodies::LogBody&& body) override;
  bool deliver(std::vector<WindowRecord>& window) override;
};

/// Reads the kind's keys.
MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& context);

}  // namespace vigia::collector::exporters::debug
