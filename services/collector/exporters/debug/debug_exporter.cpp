#include "services/collector/exporters/debug/debug_exporter.hpp"

#include "libs/service/log.hpp"

namespace vigia::collector::exporters::debug {

DebugExporter::DebugExporter(const ExporterSettings& settings, const ExporterParts& parts)
    : id_(settings.id), reader_(settings, parts, *this) {}

Result<void> DebugExporter::start() {
  reader_.start();
  return {};
}

void DebugExporter::stop(TimePoint deadline) noexcept { reader_.stop(deadline); }

void DebugExporter::add(std::uint32_t /*index*/, WindowRecord& /*record*/,
                        bodies::LogBody&& /*body*/) {}

bool DebugExporter::deliver(std::vector<WindowRecord>& window) {
  std::uint64_t items = 0;
  for (const WindowRecord& record : window) items += record.accepted;
  service::log_info("telemetry", {{"exporter", id_},
                                  {"records", std::to_string(window.size())},
                                  {"items", std::to_string(items)}});
  return true;
}

MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& context) {
  settings.is_local = true;
  config::take_notes(node, {"verbosity", "sampling_initial", "sampling_thereafter"},
                     "one line a batch", context.notes);
  config::take_notes(node, {"use_internal_logger", "output_paths"},
                     "it goes into the program's log", context.notes);
  return [](const ExporterSettings& known,
            const ExporterParts& parts) -> Result<std::unique_ptr<Exporter>> {
    return std::make_unique<DebugExporter>(known, parts);
  };
}

}  // namespace vigia::collector::exporters::debug
