// The exporter that only says what came.
#pragma once

#include <vector>

#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/exporters/log_reader.hpp"

namespace vigia::collector::exporters::debug {

/// Logs how many records and items came, one line a window.
class DebugExporter final : public Exporter, private WindowTaker {
 public:
  DebugExporter(const ExporterSettings& settings, const ExporterParts& parts);
  Result<void> start() override;
  void stop(TimePoint deadline) noexcept override;

 private:
  void add(std::uint32_t index, WindowRecord& record, bodies::LogBody&& body) override;
  bool deliver(std::vector<WindowRecord>& window) override;

  const std::string id_;
  LogReader reader_;  // the last: its thread uses all of the above
};

/// Reads the kind's keys.
MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& context);

}  // namespace vigia::collector::exporters::debug
