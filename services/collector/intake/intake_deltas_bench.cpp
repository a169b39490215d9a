// What a point of a delta costs beside one that is cumulative: requests of 2,000 series of one
// counter, judged, added up, and on disk (fdatasync) before they are answered; eight in flight. CPU
// of all threads is counted. The argument: 1 delta, 2 cumulative, as OTLP numbers them.
#include <atomic>
#include <filesystem>
#include <thread>

#include <benchmark/benchmark.h>
#include <protozero/pbf_writer.hpp>
#include <sys/resource.h>

#include "libs/base/check.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/collector/intake/intake.hpp"

namespace vigia::collector::intake {
namespace {

using wire::otlp::ExportRequestField;
using wire::otlp::GroupField;
using wire::otlp::KeyValueField;
using wire::otlp::MetricDataField;
using wire::otlp::MetricField;
using wire::otlp::NumberPointField;

constexpr std::size_t kSeries = 2'000;
constexpr std::size_t kRequests = 300;
constexpr std::size_t kInFlight = 8;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void add_text(protozero::pbf_writer& owner, std::uint32_t number, const std::string& key,
              const std::string& value) {
  protozero::pbf_writer pair(owner, number);
  pair.add_string(KeyValueField::kKey.number, key);
  protozero::pbf_writer any(pair, KeyValueField::kValue.number);
  any.add_string(1, value);
}

std::string request(std::uint64_t time_ns, std::int32_t temporality) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  protozero::pbf_writer group(writer, ExportRequestField::kGroups.number);
  {
    protozero::pbf_writer resource(group, GroupField::kHead.number);
    add_text(resource, 1, "customer.id", "cliente-a");
    add_text(resource, 1, "service.name", "tienda");
  }
  protozero::pbf_writer scope(group, GroupField::kMembers.number);
  protozero::pbf_writer metric(scope, GroupField::kMembers.number);
  metric.add_string(MetricField::kName.number, "http.server.requests");
  protozero::pbf_writer sum(metric, MetricField::kSum.number);
  sum.add_enum(MetricDataField::kTemporality.number, temporality);
  sum.add_bool(MetricDataField::kIsMonotonic.number, true);
  for (std::size_t series = 0; series < kSeries; ++series) {
    protozero::pbf_writer point(sum, MetricDataField::kPoints.number);
    point.add_fixed64(NumberPointField::kStartTime.number, time_ns - 1'000'000);
    point.add_fixed64(NumberPointField::kTime.number, time_ns);
    point.add_sfixed64(NumberPointField::kInt.number, static_cast<std::int64_t>(series));
    add_text(point, NumberPointField::kAttributes.number, "http.route",
             "/api/v1/orders/" + std::to_string(series));
    add_text(point, NumberPointField::kAttributes.number, "http.method", "GET");
    add_text(point, NumberPointField::kAttributes.number, "http.status", "200");
  }
  return bytes;
}

void take_points(benchmark::State& state) {
  const std::string folder = std::filesystem::temp_directory_path() / "vigia_deltas_bench";
  const SystemClock clock;
  const std::shared_ptr<const tenancy::Directory> directory =
      *tenancy::Directory::parse("customers: [{id: cliente-a}]", "bench");
  const tenancy::Customer customer = *directory->find(*CustomerId::parse("cliente-a"));
  const auto begin_ns = static_cast<std::uint64_t>(clock.wall_ms() - 60'000) * 1'000'000;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < kRequests; ++i)
    bodies.push_back(
        request(begin_ns + i * 100'000'000, static_cast<std::int32_t>(state.range(0))));
  double cpu = 0;
  for (auto _ : state) {
    std::filesystem::remove_all(folder);
    service::MetricRegistry metrics;
    books::Books books(metrics);
    series::SeriesCache series({}, clock);
    disk_log::DiskLogSettings settings;
    settings.directory = folder;
    settings.cursors = {{.name = "cold"}, {.name = std::string(kDeltasCursor)}};
    auto opened = disk_log::DiskLog::open(settings, clock);
    CHECK(opened);
    auto log = *std::move(opened);
    IntakeSettings intake_settings;
    intake_settings.deltas = DeltaSettings{.directory = folder};
    Intake intake({}, intake_settings,
                  IntakeParts{log.get(), series, [&] { return directory; }, books, metrics, clock});
    CHECK(intake.start());
    std::atomic<std::size_t> in_flight = 0;
    const double before = cpu_seconds();
    for (const std::string& body : bodies) {
      while (in_flight >= kInFlight) std::this_thread::sleep_for(std::chrono::microseconds(50));
      ++in_flight;
      intake.take(customer, {Signal::kMetrics, "grpc", body},
                  [&in_flight](const Result<Receipt>& receipt) {
                    CHECK(receipt && receipt->rejected == 0);
                    --in_flight;
                  });
    }
    while (in_flight > 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
    cpu += cpu_seconds() - before;
    intake.stop();
    log.reset();  // its last answers still speak to intake
  }
  std::filesystem::remove_all(folder);
  state.counters["points_a_cpu_second"] =
      static_cast<double>(static_cast<std::size_t>(state.iterations()) * kRequests * kSeries) / cpu;
}
BENCHMARK(take_points)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace vigia::collector::intake
