#include "services/collector/exporters/exporter.hpp"

#include <map>
#include <optional>

#include "libs/model/customer_signal.hpp"

namespace vigia::collector::exporters {
namespace {

/// What is only looked at now need not be kept for long.
constexpr auto kLocalAgeMax = std::chrono::minutes(5);
constexpr std::uint64_t kLocalBytesMax = 64U << 20U;

books::DropCause cause_of(disk_log::DropReason reason) {
  switch (reason) {
    case disk_log::DropReason::kTooOld:
      return books::DropCause::kTooOld;
    case disk_log::DropReason::kCap:
      return books::DropCause::kCap;
    case disk_log::DropReason::kDamaged:
      break;
  }
  return books::DropCause::kDamaged;
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
    if (const auto whose = taken(header, exporter))
      books_.queued_at_start(whose->customer, whose->signal, exporter,
                             header.items - header.rejected);
  }
  void dropped(const disk_log::RecordHeader& header, std::string_view exporter,
               disk_log::DropReason reason) {
    if (const auto whose = taken(header, exporter))
      books_.dropped(whose->customer, whose->signal, exporter, cause_of(reason),
                     header.items - header.rejected);
  }

 private:
  /// Whose record it is, where the exporter takes it. Nothing of one that names nobody: it is in
  /// nobody's books, neither as waiting nor as lost.
  std::optional<CustomerSignal> taken(const disk_log::RecordHeader& header,
                                      std::string_view exporter) const {
    const auto signal = kept_signal(header.tag.kind);
    const auto routing = routing_.find(exporter);
    if (!signal || routing == routing_.end() || !routing->second.takes(*signal, header.tag.route))
      return std::nullopt;
    return kept_customer_signal(header.tag.owner, header.tag.kind);
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
