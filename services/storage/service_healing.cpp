// Service: healing from hot, and what is told of it.
#include "libs/service/log.hpp"
#include "services/storage/service.hpp"

namespace vigia::storage {

// Behind all that it works with; who starts does not wait for it.
void Service::start_healing() {
  const healing::HealSettings& settings = settings_.heal;
  if (settings.prometheus.empty()) return;
  if (settings_.late_max != Duration(0) && settings_.late_max < settings.back) {
    service::log_warn("late_max is shorter than heal.back: what is older is not healed from hot");
  }
  healing::HealSources sources;
  sources.now_ms = [this] { return earliest_now_ms(); };
  sources.kept_from_ms = [this](const CustomerId& customer) {
    return kept_from_ms(customer, retention::DataKind::kRaw);
  };
  sources.is_whole = [this] {
    return instance_->is_writable() && instance_->damage().unsaved_files == 0;
  };
  const healing::ColdParts parts{
      cold().catalog(), instance_->numbers(), *reader_, *answers_, *ingester_, *books_, [this] {
        return write_times();
      }};
  healer_ = std::make_unique<healing::Healer>(
      settings, std::make_unique<healing::Prometheus>(settings),
      healing::HealNote(directory_, settings.prometheus, disk_log::system_files()), parts,
      std::move(sources), clock_);
  healer_->start();
}

void Service::add_heal_metrics() {
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    if (healer_ == nullptr) return;
    using service::MetricType;
    const healing::HealStats stats = healer_->stats();
    const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
      emit(name, help, MetricType::kCounter, {}, static_cast<double>(value));
    };
    counter("vigia_storage_heal_stretches_total",
            "Stretches of a customer's time that were compared with hot.", stats.stretches);
    counter("vigia_storage_heal_samples_compared_total",
            "Samples that hot has made, and that were looked for here.", stats.counts.compared);
    counter("vigia_storage_heal_holes_total", "Series of which samples were missing in a stretch.",
            stats.counts.holes);
    counter("vigia_storage_heal_samples_fetched_total",
            "Samples that were missing here and were taken from hot.", stats.counts.fetched);
    counter("vigia_storage_heal_samples_stored_total", "Of them, those that are in the store now.",
            stats.counts.stored);
    for (std::size_t i = 0; i < healing::kRefusedKinds; ++i) {
      emit("vigia_storage_heal_samples_refused_total",
           "Samples that hot gave and that were not taken, by why.", MetricType::kCounter,
           {{"reason", std::string(healing::to_string(static_cast<healing::Refused>(i)))}},
           static_cast<double>(stats.counts.refused[i]));
    }
    counter("vigia_storage_heal_failures_total",
            "Stretches and questions that failed and are tried again.", stats.failures);
    counter("vigia_storage_heal_passed_over_total",
            "Stretches that are too large or always fail: they are not healed.", stats.passed_over);
    emit("vigia_storage_heal_unknown_customers",
         "Customers whom hot names and nothing is known of here, at the last round.",
         MetricType::kGauge, {}, static_cast<double>(stats.unknown_customers));
    emit("vigia_storage_heal_behind_since_seconds",
         "Up to when those were compared who are behind, at the last round; 0: nobody is.",
         MetricType::kGauge, {}, static_cast<double>(stats.behind_ms) / 1'000);
  });
}

}  // namespace vigia::storage
