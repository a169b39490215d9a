#include "services/collector/exporters/exporter.hpp"

#include <map>

#include "services/collector/delivery/body_packer.hpp"
#include "services/collector/exporters/local_exporters.hpp"
#include "services/collector/exporters/packers.hpp"
#include "services/collector/exporters/push_exporter.hpp"
#include "services/collector/exporters/transports.hpp"

namespace vigia::collector::exporters {
namespace {

/// What is only looked at now need not be kept for long.
constexpr auto kLocalAgeMax = std::chrono::minutes(5);
constexpr std::uint64_t kLocalBytesMax = 64U << 20U;

bool is_local(ExporterKind kind) {
  return kind == ExporterKind::kPrometheus || kind == ExporterKind::kDebug;
}

/// Shared by the callbacks of one log.
class QueueCounter {
 public:
  QueueCounter(const std::vector<ExporterSettings>& exporters, books::Books& books)
      : books_(books) {
    for (const ExporterSettings& exporter : exporters)
      routing_.emplace(exporter.id, Routing(exporter));
  }

  void queued(const disk_log::RecordHeader& header, std::string_view exporter) {
    if (takes(header, exporter))
      books_.queued_at_start(header.customer, header.signal, exporter,
                             header.items - header.rejected);
  }
  void dropped(const disk_log::RecordHeader& header, std::string_view exporter,
               disk_log::DropReason reason) {
    if (takes(header, exporter))
      books_.dropped(header.customer, header.signal, exporter, to_string(reason),
                     header.items - header.rejected);
  }

 private:
  bool takes(const disk_log::RecordHeader& header, std::string_view exporter) {
    const auto routing = routing_.find(exporter);
    return routing != routing_.end() && routing->second.takes(header.signal, header.route);
  }

  std::map<std::string, Routing, std::less<>> routing_;  // by exporter id
  books::Books& books_;
};

}  // namespace

disk_log::CursorSettings cursor_settings(const ExporterSettings& exporter) {
  disk_log::CursorSettings cursor{.name = exporter.id};
  cursor.required = exporter.required && !is_local(exporter.kind);
  cursor.age_max = exporter.max_age;
  if (is_local(exporter.kind)) {
    cursor.bytes_max = kLocalBytesMax;
    if (cursor.age_max == Duration::zero()) cursor.age_max = kLocalAgeMax;
  }
  return cursor;
}

Result<std::unique_ptr<Exporter>> make_exporter(const ExporterSettings& settings,
                                                const ExporterParts& parts) {
  switch (settings.kind) {
    case ExporterKind::kPrometheus:
      return std::make_unique<PullExporter>(settings, parts);
    case ExporterKind::kDebug:
      return std::make_unique<DebugExporter>(settings, parts);
    case ExporterKind::kPrometheusRemoteWrite:
    case ExporterKind::kOtlp:
    case ExporterKind::kOtlpHttp:
      break;
  }
  auto transport = make_transport(settings, parts.client);
  if (!transport) return forward(transport);
  auto packer = settings.kind == ExporterKind::kPrometheusRemoteWrite
                    ? make_series_packer(settings, parts.series)
                    : delivery::make_body_packer();
  return std::make_unique<PushExporter>(settings, parts, *std::move(transport), std::move(packer));
}

disk_log::DiskLogEvents counting_events(const std::vector<ExporterSettings>& exporters,
                                        books::Books& books) {
  auto counter = std::make_shared<QueueCounter>(exporters, books);
  disk_log::DiskLogEvents events;
  events.on_queued = [counter](const disk_log::RecordHeader& header, std::string_view exporter) {
    counter->queued(header, exporter);
  };
  events.on_drop = [counter](const disk_log::RecordHeader& header, std::string_view exporter,
                             disk_log::DropReason reason) {
    counter->dropped(header, exporter, reason);
  };
  return events;
}

}  // namespace vigia::collector::exporters
