// Service: what is kept of a write behind its samples, and what of it is told.
#include "services/storage/service.hpp"

namespace vigia::storage {
namespace {

// A part of memory_max.
constexpr std::uint64_t kMetadataPart = 64;  // of metrics: what is known of it, and on its way

}  // namespace

void Service::make_keepers() {
  if (cold().exemplars() != nullptr && settings_.exemplars_per_minute > 0) {
    exemplars_ = std::make_unique<ingest::ExemplarKeeper>(*cold().exemplars(), clock_,
                                                          settings_.exemplars_per_minute);
  }
  if (cold().metadata() == nullptr || settings_.metadata_max == 0) return;
  ingest::MetadataKeeperSettings settings;
  settings.metrics_max = settings_.metadata_max;
  settings.known_max = settings_.memory_max / kMetadataPart / ingest::MetadataMemory::kMetricBytes;
  settings.waiting_bytes_max = settings_.memory_max / kMetadataPart;
  // The later of clock and records: what is noted too late stays too long, and never goes too soon.
  const auto today = [this] { return store::day_of(times_.latest_ms(clock_)); };
  metadata_ = std::make_unique<ingest::MetadataKeeper>(*cold().metadata(), clock_, today, settings);
}

void Service::add_metadata_metrics() {
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    const auto plain = [&emit](service::MetricType type) {
      return [&emit, type](std::string_view name, std::string_view help, std::uint64_t value) {
        emit(name, help, type, {}, static_cast<double>(value));
      };
    };
    const auto counter = plain(service::MetricType::kCounter);
    const auto gauge = plain(service::MetricType::kGauge);
    if (const store::MetadataStore* metadata = cold().metadata(); metadata != nullptr) {
      gauge("vigia_storage_metadata_disk_bytes", "Metadata of metrics on disk.",
            metadata->disk_bytes());
      counter("vigia_storage_damaged_metadata_total",
              "Metadata of metrics left out of answers because it cannot be read.",
              metadata->damaged());
    }
    const auto kept = metadata_ != nullptr ? metadata_->stats() : ingest::MetadataKeeperStats();
    gauge("vigia_storage_metadata_metrics_known",
          "Metrics, of all customers, of which memory knows what is stored of them.", kept.known);
    counter("vigia_storage_metadata_written_total",
            "Metadata on disk: new, changed, or noted again after some days.", kept.written);
    counter("vigia_storage_metadata_repeated_total",
            "Metadata that was stored by the time its turn came.", kept.repeated);
    counter("vigia_storage_metadata_limited_total",
            "Metadata of metrics past what a customer may have: let go.", kept.limited);
    counter("vigia_storage_metadata_held_total",
            "Metadata of metrics that change more than three times a minute: let go.", kept.held);
    counter("vigia_storage_metadata_failed_total",
            "Metadata that the store refused, or for which there was no room: let go.",
            kept.failed);
  });
}

}  // namespace vigia::storage
