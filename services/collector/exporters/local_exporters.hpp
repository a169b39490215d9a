// Exporters that send nothing: prometheus, which is scraped, and debug, which logs.
#pragma once

#include <memory>
#include <vector>

#include "libs/net/routes.hpp"
#include "libs/net/server.hpp"
#include "services/collector/exporters/last_values.hpp"
#include "services/collector/exporters/log_exporter.hpp"

namespace vigia::collector::exporters {

/// Serves GET /metrics with the last value of every series, of all customers: for the operator, so
/// it listens on loopback unless configured otherwise. A series without a value for kStaleAfter is
/// gone.
class PullExporter final : public LogExporter {
 public:
  PullExporter(const ExporterSettings& settings, const ExporterParts& parts);
  ~PullExporter() override;
  Result<void> start() override;
  void stop(TimePoint deadline) noexcept override;
  /// Where it listens; "" before start.
  std::string address() const;

  static constexpr auto kStaleAfter = std::chrono::minutes(5);

 protected:
  void add(std::uint32_t index, WindowRecord& record, bodies::LogBody&& body) override;
  bool deliver(std::vector<WindowRecord>& window) override;
  void on_progress(std::int64_t complete_until_ms, std::uint64_t lost) override;

 private:
  LastValues values_;
  series::Translator translator_;
  net::Routes routes_;
  std::unique_ptr<net::Server> server_;
};

/// Logs how many records and items came, one line a window.
class DebugExporter final : public LogExporter {
 public:
  DebugExporter(const ExporterSettings& settings, const ExporterParts& parts);
  ~DebugExporter() override;

 protected:
  void add(std::uint32_t index, WindowRecord& record, bodies::LogBody&& body) override;
  bool deliver(std::vector<WindowRecord>& window) override;
};

}  // namespace vigia::collector::exporters
