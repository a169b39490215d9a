// Service: the own metrics.
#include <string_view>

#include "services/storage/service.hpp"

namespace vigia::storage {
namespace {

// Emits a metric without labels.
auto plain_metric(const service::MetricRegistry::Emit& emit, service::MetricType type) {
  return [&emit, type](std::string_view name, std::string_view help, auto value) {
    emit(name, help, type, {}, static_cast<double>(value));
  };
}

}  // namespace

void Service::add_metrics() {
  add_damage_metrics();
  add_class_metrics();
  add_head_metrics();
  add_store_metrics();
  add_metadata_metrics();
  add_log_metrics();
  if (open_rows_ != nullptr) add_sharing_metrics();
  add_peer_metrics();
  add_rollup_metrics();
  add_heal_metrics();
}

void Service::add_log_metrics() {
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    const auto counter = plain_metric(emit, service::MetricType::kCounter);
    const auto gauge = plain_metric(emit, service::MetricType::kGauge);
    const ingest::IngesterStats ingest = ingester_->stats();
    gauge("vigia_storage_samples_pending", "Samples under way to the heads.", ingest.items_pending);
    gauge("vigia_storage_late_owed",
          "Samples that were logged and then refused, taken before whatever comes after them.",
          ingest.owed.items);
    counter("vigia_storage_late_forgotten_total",
            "Samples for which there was no room among those: a kill may bring them back first.",
            ingest.owed.forgotten);
    gauge("vigia_storage_log_bytes", "Write-ahead log on disk.", ingest.log.bytes);
    counter("vigia_storage_log_syncs_total", "fdatasync calls of the log.", ingest.log.syncs);
    counter("vigia_storage_log_damaged_records_total", "Damaged passages of the log.",
            ingest.log.damaged_records + ingest.replay_damaged);
    counter("vigia_storage_samples_replayed_total", "Samples read from the log at start.",
            ingest.replayed);
    counter("vigia_storage_sweep_failures_total",
            "Times that chunks could not be closed or stored.",
            ingest.sweep_failures + heads_->stats().closed.failures);
  });
}

void Service::add_sharing_metrics() {
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    const auto counter = plain_metric(emit, service::MetricType::kCounter);
    const auto gauge = plain_metric(emit, service::MetricType::kGauge);
    const store::OpenRowStats rows = open_rows_->stats();
    const ingest::TakeOverStats taken =
        take_over_ != nullptr ? take_over_->stats() : ingest::TakeOverStats();
    gauge("vigia_storage_lease_held",
          "1 while the other instances know that this one lives; else samples are refused.",
          rows.is_alive ? 1 : 0);
    counter("vigia_storage_head_rows_kept_total",
            "Rows with copies of open samples that a quorum of the cluster has.", rows.kept);
    counter("vigia_storage_head_rows_refused_total",
            "Requests that were refused since the cluster did not take copies of them.",
            rows.failed);
    counter("vigia_storage_instances_taken_over_total",
            "Other instances that were gone, and of which nothing is left to be taken over.",
            rows.taken_over);
    counter("vigia_storage_samples_taken_over_total",
            "Open samples of instances that were gone, repeats included.", taken.samples);
    counter("vigia_storage_head_rows_damaged_total",
            "Rows of instances that were gone that could not be read.", taken.damaged);
    gauge("vigia_storage_retention_differs",
          "1 where another instance on this keyspace has another retention.",
          instance_->has_other_retention() ? 1 : 0);
    const instance::SecondRequestStats second = instance_->second_requests();
    counter("vigia_storage_second_requests_total",
            "Requests to a second node of the cluster, since the first one did not answer.",
            second.sent);
    counter("vigia_storage_second_requests_answered_first_total",
            "Of these, how many were answered before the first node's.", second.answered_first);
    counter("vigia_storage_second_requests_held_back_total",
            "Those that were not sent, since too many were under way.", second.held_back);
    const ingest::CopyRenewalStats renewal = ingester_->stats().renewal;
    counter("vigia_storage_samples_copied_anew_total",
            "Samples that were open for hours and were copied into the cluster once more.",
            renewal.samples);
    counter("vigia_storage_copy_renewal_failures_total",
            "Times that the cluster did not take such copies; it is tried again.",
            renewal.failures);
    counter("vigia_storage_copy_unreadable_total",
            "Chunks that were not copied once more, as they cannot be unpacked.",
            renewal.unreadable);
  });
}

void Service::add_head_metrics() {
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    const auto counter = plain_metric(emit, service::MetricType::kCounter);
    const auto gauge = plain_metric(emit, service::MetricType::kGauge);
    const heads::HeadStats heads = heads_->stats();
    gauge("vigia_storage_open_series", "Series with samples in memory.", heads.open_series);
    gauge("vigia_storage_open_series_bytes", "Memory of open series.", heads.memory_bytes);
    counter("vigia_storage_chunks_closed_for_memory_total",
            "Series whose samples were written early because open ones held too much memory.",
            heads.closed_for_memory);
    gauge("vigia_storage_open_chunk_bytes", "Memory of open chunks.", heads.chunk_bytes);
    gauge("vigia_storage_closed_chunks_waiting_bytes", "Closed chunks that wait for the store.",
          heads.closed.bytes);
    counter("vigia_storage_chunks_set_aside_total",
            "Closed chunks that the store never took while it took others.",
            heads.closed.set_aside);
    counter("vigia_storage_chunks_lost_total",
            "Of those set aside, chunks for which the quarantine had no room and the log none.",
            heads.closed.lost);
    const quarantine::QuarantineStats aside = quarantine_->stats();
    gauge("vigia_storage_chunks_in_quarantine",
          "Chunks set aside: answers lack them until a start can store them.", aside.chunks);
    gauge("vigia_storage_chunk_quarantine_bytes", "Files of chunks set aside, damaged ones too.",
          aside.bytes);
    counter("vigia_storage_unread_series_total",
            "Series taken without their stored rows, which are damaged.", heads.unread_series);
  });
}

void Service::add_store_metrics() {
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    const auto counter = plain_metric(emit, service::MetricType::kCounter);
    const auto gauge = plain_metric(emit, service::MetricType::kGauge);
    if (identity_) {
      emit("vigia_storage_made_seconds", "When the store was made, by its id.",
           service::MetricType::kGauge, {{"store", identity_->id}},
           static_cast<double>(identity_->made_ms) / 1'000);
    }
    const instance::CatalogStats catalog = instance_->catalog_stats();
    gauge("vigia_storage_index_memory_bytes", "Memory of known series' numbers.",
          catalog.memory_bytes);
    gauge("vigia_storage_series", "Series ever written.", catalog.series);
    counter("vigia_storage_index_rows_restored_total",
            "Series' rows of the index that were lost and are written anew from their copies.",
            catalog.rows_restored);
    gauge("vigia_storage_chunk_disk_bytes", "Closed chunks on disk.", cold().chunks().disk_bytes());
    const store::EventStore& events = cold().events();
    gauge("vigia_storage_span_disk_bytes", "Spans on disk.", events.disk_bytes(Signal::kTraces));
    gauge("vigia_storage_log_record_disk_bytes", "Log records on disk.",
          events.disk_bytes(Signal::kLogs));
    if (const store::ExemplarStore* exemplars = cold().exemplars(); exemplars != nullptr) {
      gauge("vigia_storage_exemplar_disk_bytes", "Exemplars on disk.", exemplars->disk_bytes());
      counter("vigia_storage_damaged_exemplars_total",
              "Exemplars left out of answers because they cannot be read.", exemplars->damaged());
    }
    const auto kept = exemplars_ != nullptr ? exemplars_->stats() : ingest::ExemplarKeeperStats();
    counter("vigia_storage_exemplars_written_total", "Exemplars on disk, repeats included.",
            kept.written);
    counter("vigia_storage_exemplars_limited_total",
            "Exemplars past what their customer may have kept in a minute: let go.", kept.limited);
    counter("vigia_storage_exemplars_failed_total",
            "Exemplars that the store refused, or for which there was no room: let go.",
            kept.failed);
    counter("vigia_storage_damaged_histograms_total",
            "Stored histograms that are none, left out of answers.",
            remote_read_->damaged_histograms());
    counter("vigia_storage_damaged_series_total",
            "Series left out of answers because their stored rows cannot be read.",
            remote_read_->damaged_series());
    counter("vigia_storage_damaged_rows_total",
            "Rows of series left out of answers because what lies in them cannot be read.",
            remote_read_->damaged_rows());
    counter("vigia_storage_damaged_items_total",
            "Spans and log records left out of answers because they cannot be read.",
            events.damaged_items(Signal::kTraces) + events.damaged_items(Signal::kLogs));
  });
}

// The store knows what it found since it opened; that there was more of it is remembered over
// starts.
bool Service::is_damage_recent() {
  std::uint64_t found = ingester_->stats().replay_damaged;
  const store::DamageStats damage = instance_->damage();
  for (const auto& [what, count] : damage.found) found += count;
  const std::lock_guard lock(damage_mutex_);
  if (found > damage_seen_) damage_notice_->found();
  damage_seen_ = found;
  damage_notice_->keep();
  return damage_notice_->is_shown() || ingester_->stats().log.is_damage_recent;
}

static void add_scrub_metrics(const service::MetricRegistry::Emit& emit,
                              const store::ScrubStats& scrub) {
  using service::MetricType;
  const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    emit(name, help, MetricType::kCounter, {}, static_cast<double>(value));
  };
  counter("vigia_storage_scrub_tables_total", "Tables read to see whether they are whole.",
          scrub.tables);
  counter("vigia_storage_scrub_bytes_total", "Bytes of these tables.", scrub.bytes);
  counter("vigia_storage_scrub_passes_total", "Ends of a pass over all tables.", scrub.passes);
  counter("vigia_storage_scrub_failures_total",
          "Tables that could not be read for another reason than damage.", scrub.failures);
}

void Service::add_damage_metrics() {
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    using service::MetricType;
    const store::DamageStats damage = instance_->damage();
    // Every kind is there from the start: increase() does not see a counter that begins at 1.
    for (const auto& [what, count] : damage.found) {
      emit("vigia_storage_damage_total", "Damaged files of the store, by what they are.",
           MetricType::kCounter, {{"what", what}}, static_cast<double>(count));
    }
    emit("vigia_storage_damage_recent",
         "1 from when damage was found until an hour of running after it, over restarts.",
         MetricType::kGauge, {}, is_damage_recent() ? 1.0 : 0.0);
    emit("vigia_storage_damage_rows_lost_total", "Rows that damaged files cost, as far as known.",
         MetricType::kCounter, {}, static_cast<double>(damage.rows_lost));
    emit("vigia_storage_damage_rows_saved_total", "Rows read from damaged files, written anew.",
         MetricType::kCounter, {}, static_cast<double>(damage.rows_saved));
    emit("vigia_storage_quarantined_files", "Damaged files that lie in the quarantine.",
         MetricType::kGauge, {}, static_cast<double>(damage.quarantined_files));
    emit("vigia_storage_unsaved_files",
         "Files set aside whose rows are still to be written anew: answers lack these rows.",
         MetricType::kGauge, {}, static_cast<double>(damage.unsaved_files));
    if (damage.scrub.has_value()) add_scrub_metrics(emit, *damage.scrub);
    emit("vigia_storage_expiry_held", "1 while nothing expires because the time is in doubt.",
         MetricType::kGauge, {}, retention_guard_->held_because().empty() ? 0.0 : 1.0);
    emit("vigia_storage_writable", "0 while writes are refused, as where the disk is full.",
         MetricType::kGauge, {}, is_ready() ? 1.0 : 0.0);
  });
}

}  // namespace vigia::storage
