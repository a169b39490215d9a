#include "services/collector/exporters/exporter.hpp"

#include <map>

namespace vigia::collector::exporters {
namespace {

/// What is only looked at now need not be kept for long.
constexpr auto kLocalAgeMax = std::chrono::minutes(5);
constexpr std::uint64_t kLocalBytesMax = 64U << 20U;

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
  cursor.required = exporter.required && !exporter.is_local;
  cursor.age_max = exporter.max_age;
  if (exporter.is_local) {
    cursor.bytes_max = kLocalBytesMax;
    if (cursor.age_max == Duration::zero()) cursor.age_max = kLocalAgeMax;
  }
  return cursor;
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
