// The exporter that sends nothing: it is scraped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/net/routes.hpp"
#include "libs/net/server.hpp"
#include "libs/series/translator.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/exporters/log_reader.hpp"
#include "services/collector/exporters/prometheus/last_values.hpp"

namespace vigia::collector::exporters::prometheus {

struct PullSettings {
  std::string endpoint = "127.0.0.1:8889";
  Duration expiration = std::chrono::minutes(5);  ///< a series without a value for so long is gone
  bool has_open_metrics = true;                   ///< where Accept asks for it
  Exposition exposition;                          ///< what does not depend on who asks
};

/// Serves GET /metrics with the last value of every series, of all customers, to whoever asks: for
/// the operator, so it listens on loopback unless configured otherwise.
class PullExporter final : public Exporter, private WindowTaker {
 public:
  PullExporter(const ExporterSettings& settings, PullSettings pull, const ExporterParts& parts);
  Result<void> start() override;
  void stop(TimePoint deadline) noexcept override;
  /// Where it listens; "" before start.
  std::string address() const;

 private:
  void add(std::uint32_t index, WindowRecord& record, bodies::LogBody&& body) override;
  bool deliver(std::vector<WindowRecord>& window) override;
  void on_progress(std::int64_t complete_until_ms, std::uint64_t lost) override;
  void serve(const net::Request& request, net::Responder responder) const;
  void tell_conflicts();

  const ExporterSettings settings_;
  const ExporterParts parts_;
  const PullSettings pull_;
  LastValues values_;
  series::Translator translator_;
  net::Routes routes_;
  std::unique_ptr<net::Server> server_;
  LogReader reader_;  // the last: its thread uses all of the above
};

/// Reads the kind's keys.
MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& context);

}  // namespace vigia::collector::exporters::prometheus
