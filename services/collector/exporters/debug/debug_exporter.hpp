// The exporter that only says what came.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/exporters/debug/line_budget.hpp"
#include "services/collector/exporters/log_reader.hpp"

namespace vigia::collector::exporters::debug {

enum class Verbosity : std::uint8_t {
  kBasic,     ///< a line a window: how much
  kNormal,    ///< a line an item: its name, attributes, value
  kDetailed,  ///< a line an item: all of it, as OTLP/JSON
};

struct DebugSettings {
  Verbosity verbosity = Verbosity::kBasic;
  LineBudget::Sampling sampling{};
};

/// Lines about items are what their customer has sent, in the provider's log: for who asks for
/// them, and of each customer no more than its share (LineBudget).
class DebugExporter final : public Exporter, private WindowTaker {
 public:
  DebugExporter(const ExporterSettings& settings, DebugSettings debug, const ExporterParts& parts);
  Result<void> start() override;
  void stop(TimePoint deadline) noexcept override;

 private:
  void add(std::uint32_t index, WindowRecord& record, bodies::LogBody&& body) override;
  bool add_unopened(WindowRecord& record, bodies::LogBody& body) override;
  bool deliver(std::vector<WindowRecord>& window) override;
  void on_progress(std::int64_t complete_until_ms, std::uint64_t lost) override;
  void show_items(const WindowRecord& record, std::string_view body);

  const std::string id_;
  const DebugSettings debug_;
  LineBudget budget_;
  LogReader reader_;  // the last: its thread uses all of the above
};

/// Reads the kind's keys.
MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& context);

}  // namespace vigia::collector::exporters::debug
