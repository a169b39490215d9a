// Service: which path is answered by which part, and the own metrics.
#include <string_view>

#include "libs/base/json_text.hpp"
#include "libs/net/form.hpp"
#include "libs/net/status.hpp"
#include "libs/otlp/paths.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/service.hpp"

namespace vigia::storage {
namespace {

// Of writes and of whatever names its customer in the header.
std::string customer_of(const net::Request& request) {
  return std::string(request.headers.get(api::kCustomerHeader));
}

// The router names the customer in the header or in the parameter.
std::string reader_of(const net::Request& request) {
  std::string customer = customer_of(request);
  if (!customer.empty()) return customer;
  const auto parameters = net::parse_form(request.query);
  if (!parameters.has_value()) return customer;
  for (const auto& [name, value] : *parameters) {
    if (name == "customer") customer = value;
  }
  return customer;
}

// Below the time after which the router gives up, so that it hears of the end.
constexpr Duration kSearchTimeMax = std::chrono::seconds(20);
constexpr Duration kRemoteReadTimeMax = std::chrono::minutes(2);  // as Prometheus' queries
constexpr int kClientClosedRequest = 499;

net::Response answer_to_nobody() {
  net::Response response;
  response.status = kClientClosedRequest;
  return response;
}

// Emits a metric without labels.
auto plain_metric(const service::MetricRegistry::Emit& emit, service::MetricType type) {
  return [&emit, type](std::string_view name, std::string_view help, auto value) {
    emit(name, help, type, {}, static_cast<double>(value));
  };
}

// Counted when the last who works by it is done.
struct CountedLimit {
  CountedLimit(const Clock& clock, Duration longest, std::shared_ptr<const std::atomic<bool>> gone,
               service::Counter& counter)
      : limit(clock, longest, std::move(gone)), ended(counter) {}
  CountedLimit(const CountedLimit&) = delete;
  CountedLimit& operator=(const CountedLimit&) = delete;
  ~CountedLimit() {
    if (limit.has_timed_out()) ended.add();
  }
  store::WorkLimit limit;
  service::Counter& ended;
};

struct Job {  // shared with whoever answers when the lanes do not take it
  net::Request request;
  net::Responder responder;
};

std::shared_ptr<Job> make_job(net::Request request, net::Responder responder) {
  return std::make_shared<Job>(Job{std::move(request), std::move(responder)});
}

}  // namespace

void Service::add_route(const char* method, const std::string& pattern, lanes::CustomerLanes& lanes,
                        const LaneOf& lane_of, const Answer& answer) {
  routes_.add(method, pattern,
              [this, &lanes, lane_of, answer](net::Request request, const net::PathValues& values,
                                              net::Responder responder) {
                const std::string customer = lane_of(request);
                const std::size_t bytes = request.body.size();
                const auto job = make_job(std::move(request), std::move(responder));
                const auto taken = lanes.submit(customer, bytes, [job, values, answer] {
                  job->responder.send(answer(job->request, values));
                });
                if (!taken) job->responder.send(refuse(job->request, taken.error()));
              });
}

service::Counter& Service::ended_searches(const std::string& what) {
  return registry_.counter(
      "vigia_storage_searches_ended_total",
      "Reads that were ended because they took longer than their time, by what was asked for.",
      {{"what", what}});
}

void Service::add_search(const char* method, const std::string& pattern, const Search& search) {
  service::Counter& ended = ended_searches(search.what);
  routes_.add(method, pattern,
              [this, search, &ended](net::Request request, const net::PathValues& values,
                                     net::Responder responder) {
                const std::string customer = search.lane_of(request);
                const std::size_t bytes = request.body.size();
                const auto gone = std::make_shared<std::atomic<bool>>(false);
                responder.on_gone([gone] { *gone = true; });
                const auto job = make_job(std::move(request), std::move(responder));
                const auto taken = readers_->submit(
                    customer, bytes, [this, customer, job, values, search, gone, &ended] {
                      if (*gone) return job->responder.send(answer_to_nobody());
                      const store::WorkLimit limit(clock_, search.longest, gone);
                      net::Response response = search.answer(job->request, values, limit);
                      if (limit.has_timed_out()) ended.add();
                      gaps_.mark(response, customer);
                      job->responder.send(std::move(response));
                    });
                if (!taken) job->responder.send(refuse(job->request, taken.error()));
              });
}

void Service::add_read(const std::string& pattern, const Search& search) {
  add_search("GET", pattern, search);
  add_search("POST", pattern, search);
}

void Service::add_writes() {
  routes_.add("POST", "/api/v1/write",
              [this](net::Request request, const net::PathValues&, net::Responder responder) {
                const std::string customer = customer_of(request);
                const std::size_t bytes = request.body.size();
                const auto job = make_job(std::move(request), std::move(responder));
                const auto taken = sample_writers_->submit(customer, bytes, [this, job] {
                  write_api_->handle(std::move(job->request), std::move(job->responder));
                });
                if (!taken) job->responder.send(refuse(job->request, taken.error()));
              });
  add_event_writes(Signal::kTraces, *trace_intake_);
  add_event_writes(Signal::kLogs, *log_intake_);
}

void Service::add_event_writes(Signal signal, api::OtlpApi& intake) {
  for (const std::string_view path : {otlp::http_path(signal), otlp::grpc_path(signal)}) {
    add_route("POST", std::string(path), *event_writers_, customer_of,
              [&intake](const net::Request& request, const net::PathValues&) {
                return intake.handle(request);
              });
  }
}

// Its answer outlives the job that begins it: what is left of it is made by further ones, each in
// its customer's turn, as the client takes it.
void Service::add_remote_read() {
  service::Counter& ended = ended_searches("remote_read");
  const auto begin = [this, &ended](const std::string& customer, const std::shared_ptr<Job>& job,
                                    const std::shared_ptr<std::atomic<bool>>& gone) {
    if (*gone) return job->responder.send(answer_to_nobody());
    const auto counted = std::make_shared<CountedLimit>(clock_, kRemoteReadTimeMax, gone, ended);
    const api::ReadWork work{
        std::shared_ptr<const store::WorkLimit>(counted, &counted->limit), gone,
        [this, customer](Task<void()> more) { return readers_->go_on(customer, std::move(more)); }};
    net::Response response = read_api_->handle(job->request, work);
    gaps_.mark(response, customer);
    job->responder.send(std::move(response));
  };
  routes_.add(
      "POST", "/api/v1/read",
      [this, begin](net::Request request, const net::PathValues&, net::Responder responder) {
        const std::string customer = api::ReadApi::customer_of(request);
        const std::size_t bytes = request.body.size();
        const auto gone = std::make_shared<std::atomic<bool>>(false);
        responder.on_gone([gone] { *gone = true; });
        const auto job = make_job(std::move(request), std::move(responder));
        const auto taken = readers_->submit(
            customer, bytes, [begin, customer, job, gone] { begin(customer, job, gone); });
        if (!taken) job->responder.send(refuse(job->request, taken.error()));
      });
}

void Service::add_searches() {
  using net::PathValues;
  using net::Request;
  add_remote_read();
  const auto labels = [](auto answer) {
    return Search{"labels", kSearchTimeMax, reader_of, answer};
  };
  add_read("/api/v1/labels",
           labels([this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
             return label_api_->labels(request, limit);
           }));
  add_read("/api/v1/label/{name}/values",
           labels([this](const Request& request, const PathValues& values,
                         const store::WorkLimit& limit) {
             return label_api_->values(request, values.at("name"), limit);
           }));
  add_read("/api/v1/series",
           labels([this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
             return label_api_->series(request, limit);
           }));
  add_read("/api/v1/metadata",
           {"metadata", kSearchTimeMax, reader_of,
            [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
              return metadata_api_->metadata(request, limit);
            }});
  add_read("/api/v1/exemplars",
           {"exemplars", kSearchTimeMax, reader_of,
            [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
              return exemplar_api_->exemplars(request, limit);
            }});
}

void Service::add_event_searches() {
  using net::PathValues;
  using net::Request;
  const auto trace = [this](const Request& request, const PathValues& values,
                            const store::WorkLimit& limit) {
    return event_api_->trace(request, values.at("id"), limit);
  };
  for (const char* pattern : {"/api/v1/traces/{id}", "/jaeger/api/traces/{id}"}) {
    add_search("GET", pattern, {"trace", kSearchTimeMax, reader_of, trace});
  }
  add_read("/api/v1/logs",
           {"logs", kSearchTimeMax, reader_of,
            [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
              return event_api_->logs(request, limit);
            }});
  const auto search = [this](const char* what, const std::string& pattern, auto answer) {
    add_read(pattern, {what, kSearchTimeMax, reader_of, answer});
  };
  search("traces", "/api/v1/traces",
         [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
           return trace_search_->traces(request, limit);
         });
  search("services", "/api/v1/services",
         [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
           return trace_search_->services(request, limit);
         });
  search("operations", "/api/v1/services/{service}/operations",
         [this](const Request& request, const PathValues& values, const store::WorkLimit& limit) {
           return trace_search_->operations(request, values.at("service"), limit);
         });
  search("operations", "/api/v1/operations",
         [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
           return trace_search_->operations(request, "", limit);
         });
}

void Service::add_routes() {
  service::HealthPaths health;
  health.mark = [this](net::Response& response) {
    gaps_.mark(response);
    mark_lacking(response);
    say_identity(response);
  };
  service::add_health_routes(routes_, [this] { return is_ready(); }, health);
  add_writes();
  add_searches();
  add_event_searches();
  add_open_samples();
  add_route(
      "POST", "/api/v1/retention/confirm", *readers_, reader_of,
      [this](const net::Request& request, const net::PathValues&) { return confirm(request); });
  add_route("POST", "/api/v1/checkpoint", *readers_, reader_of,
            [this](const net::Request& request, const net::PathValues&) {
              return make_checkpoint(request);
            });
}

// Of the time that is in doubt, or of a customer who is to be kept shorter.
net::Response Service::confirm(const net::Request& request) {
  const std::string named = reader_of(request);
  bool is_confirmed = false;
  if (named.empty()) {
    is_confirmed = retention_guard_->confirm();
  } else {
    const auto customer = CustomerId::parse(named);
    if (!customer) return net::prometheus_error(customer.error());
    is_confirmed = classes_->confirm(*customer);
  }
  net::Response response;
  response.headers.add("content-type", "application/json");
  response.status = is_confirmed ? 200 : 409;
  response.body =
      is_confirmed ? R"({"status":"confirmed"})" : R"({"status":"nothing is in doubt"})";
  return response;
}

// It holds everybody's data: whoever asks for one customer has no business with it.
net::Response Service::make_checkpoint(const net::Request& request) {
  if (!reader_of(request).empty()) {
    return net::prometheus_error(
        {ErrorCode::kForbidden, "a checkpoint is of all customers: ask without one"});
  }
  const auto name = checkpoints_->make();
  if (!name) return net::prometheus_error(name.error());
  net::Response response;
  response.headers.add("content-type", "application/json");
  response.body = R"({"status":"success","data":{"name":)" + json_text(*name) + "}}";
  return response;
}

// The router goes by it: remote read has no room for it.
void Service::say_identity(net::Response& response) const {
  if (identity_) response.headers.add(disk_log::kStoreHeader, disk_log::to_text(*identity_));
}

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
