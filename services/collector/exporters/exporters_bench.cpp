// What the path behind the acknowledgement costs: bodies read from the disk log, translated,
// written as remote write of that version, compressed, answered by a destination that takes all. A
// body is ten gauges of a hundred points with eight attributes, some 313 bytes a point. CPU of all
// threads is counted.
#include <filesystem>
#include <thread>

#include <benchmark/benchmark.h>
#include <protozero/pbf_writer.hpp>
#include <sys/resource.h>

#include "libs/base/check.hpp"
#include "libs/model/customer_signal.hpp"
#include "libs/wire/remote_write/request_encoder_2.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/exporters/remote_write/remote_write_exporter.hpp"

namespace vigia::collector::exporters {
namespace {

constexpr int kMetrics = 10;
constexpr int kPoints = 100;
constexpr std::uint32_t kItems = kMetrics * kPoints;
constexpr int kBodies = 16;
constexpr int kRecords = 2000;

void add_attribute(protozero::pbf_writer& owner, protozero::pbf_tag_type field,
                   const std::string& key, const std::string& value) {
  protozero::pbf_writer attribute(owner, field);
  attribute.add_string(1, key);
  protozero::pbf_writer any(attribute, 2);
  any.add_string(1, value);
}

void add_point(protozero::pbf_writer& gauge, int body, int point, std::uint64_t time_ns) {
  protozero::pbf_writer data_point(gauge, 1);
  data_point.add_fixed64(3, time_ns);
  data_point.add_double(4, point * 1.5);
  for (const char* key : {"device", "state", "mode", "direction", "mountpoint", "type", "zone"})
    add_attribute(data_point, 7, key, std::string("value-of-this-attribute-") + key);
  add_attribute(data_point, 7, "number", std::to_string(body * kPoints + point));
}

void add_metric(protozero::pbf_writer& scope_metrics, int metric, int body, std::uint64_t time_ns) {
  protozero::pbf_writer one(scope_metrics, 2);
  one.add_string(1, "system.network.measure." + std::to_string(metric));
  protozero::pbf_writer gauge(one, 5);
  for (int point = 0; point < kPoints; ++point) add_point(gauge, body, point, time_ns);
}

/// Each writer has to be gone before what it writes to is used.
std::string make_body(int body, std::uint64_t time_ns) {
  std::string resource_bytes;
  protozero::pbf_writer resource(resource_bytes);
  add_attribute(resource, 1, "customer.id", "cliente-a");
  add_attribute(resource, 1, "node.id", "node-" + std::to_string(body));
  add_attribute(resource, 1, "service.name", "bench");
  std::string scope_bytes;
  protozero::pbf_writer scope(scope_bytes);
  for (int metric = 0; metric < kMetrics; ++metric) add_metric(scope, metric, body, time_ns);
  std::string metrics_bytes;
  protozero::pbf_writer metrics(metrics_bytes);
  metrics.add_message(1, resource_bytes);
  metrics.add_message(2, scope_bytes);
  std::string bytes;
  protozero::pbf_writer(bytes).add_message(1, metrics_bytes);
  return bytes;
}

class TakesAll final : public delivery::MessageTransport {
 public:
  explicit TakesAll(std::int64_t version) : version_(version) {}
  void send(const CustomerId& /*customer*/, Signal /*signal*/, std::string_view message,
            Task<void(delivery::Answer)> done) override {
    const std::string_view request = version_ == 2 ? *encoder_.encode(message) : message;
    bytes += wire::remote_write::compress_request(request).size();
    ++requests;
    done(delivery::Answer{});
  }
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> requests{0};

 private:
  const std::int64_t version_;
  wire::remote_write::RequestEncoder2 encoder_;  // one lane sends here
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void export_from_log(benchmark::State& state) {
  const std::string folder = "/tmp/vigia-exporters-bench";
  std::vector<std::string> bodies;
  const SystemClock clock;
  for (int body = 0; body < kBodies; ++body)
    bodies.push_back(make_body(body, static_cast<std::uint64_t>(clock.wall_ns())));
  const CustomerId customer = *CustomerId::parse("cliente-a");
  double points = 0;
  double cpu = 0;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::filesystem::remove_all(folder);
    ExporterSettings settings;
    settings.id = "prometheusremotewrite/cold";
    settings.name = "cold";
    settings.signals = {Signal::kMetrics};
    settings.required = true;
    disk_log::DiskLogSettings log_settings;
    log_settings.directory = folder + "/log";
    log_settings.cursors = {cursor_settings(settings)};
    auto log = *disk_log::DiskLog::open(log_settings, clock);
    for (int i = 0; i < kRecords; ++i)
      log->append({{.tag = {.owner = customer.text(), .kind = kept_number(Signal::kMetrics)},
                    .items = kItems,
                    .received_ms = clock.wall_ms()},
                   bodies[static_cast<std::size_t>(i % kBodies)]},
                  [](const Result<disk_log::RecordHeader>& header) { CHECK(header); });
    while (log->stats().appended_records < kRecords)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    service::MetricRegistry metrics;
    books::Books books(metrics);
    series::SeriesCache series({}, clock);
    clock::ConfirmedTime time(clock);
    auto client = net::Client::create({});
    auto transport = std::make_unique<TakesAll>(state.range(0));
    const TakesAll& destination = *transport;
    const ExporterParts parts{*log,  *client, series, [] { return nullptr; }, books, metrics,
                              clock, time,    folder};
    PushExporter exporter(settings, {}, parts,
                          remote_write::means_of(settings, parts, std::move(transport)));
    const double cpu_before = cpu_seconds();
    state.ResumeTiming();
    if (!exporter.start()) state.SkipWithError("not started");
    constexpr std::uint64_t kAll = std::uint64_t{kRecords} * kItems;
    while (books.line(customer, Signal::kMetrics, settings.id).sent < kAll)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    exporter.stop(clock.steady());
    state.PauseTiming();
    cpu += cpu_seconds() - cpu_before;
    points += static_cast<double>(kAll);
    bytes += destination.bytes;
    state.ResumeTiming();
  }
  state.counters["points_a_cpu_second"] = points / cpu;
  state.counters["body_bytes_a_point"] = static_cast<double>(bodies[0].size()) / kItems;
  state.counters["sent_bytes_a_point"] = static_cast<double>(bytes) / points;
  std::filesystem::remove_all(folder);
}
BENCHMARK(export_from_log)
    ->ArgName("version")
    ->Arg(2)
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);

}  // namespace
}  // namespace vigia::collector::exporters
