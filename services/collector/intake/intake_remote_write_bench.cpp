// What a Prometheus that writes to us costs: requests of 2,000 samples, each of another series with
// ten labels, unpacked, judged, and on disk (fdatasync) before they are answered; eight in flight.
// CPU of all threads is counted. The argument: remote write 1.0 or 2.0.
#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include <benchmark/benchmark.h>
#include <protozero/pbf_writer.hpp>
#include <sys/resource.h>

#include "libs/base/check.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/intake/intake.hpp"

namespace vigia::collector::intake {
namespace {

constexpr std::size_t kSeries = 2'000;
constexpr std::size_t kRequests = 1'000;
constexpr std::size_t kInFlight = 8;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Labels labels_of(std::size_t series) {
  const std::string instance = "10.0." + std::to_string(series / 250) + ".1:9100";
  return Labels::from({{"__name__", "node_network_receive_bytes_total"},
                       {"cluster", "production-1"},
                       {"device", "eth" + std::to_string(series % 250)},
                       {"environment", "production"},
                       {"instance", instance},
                       {"job", "node-exporter"},
                       {"namespace", "monitoring"},
                       {"pod", "node-exporter-" + std::to_string(series / 250)},
                       {"region", "us-east-1"},
                       {"service", "node-exporter"}});
}

std::string request_1(TimestampMs time_ms) {
  std::string message;
  for (std::size_t i = 0; i < kSeries; ++i)
    wire::remote_write::append_sample(message, wire::remote_write::encode_labels(labels_of(i)),
                                      {time_ms, static_cast<double>(i) * 1.5});
  return wire::remote_write::compress_request(message);
}

std::string request_2(TimestampMs time_ms) {
  std::map<std::string, std::uint32_t> places{{"", 0}};
  std::vector<std::string> symbols{""};
  const auto place_of = [&](const std::string& text) {
    const auto [place, is_new] =
        places.try_emplace(text, static_cast<std::uint32_t>(symbols.size()));
    if (is_new) symbols.push_back(text);
    return place->second;
  };
  std::string all;
  for (std::size_t i = 0; i < kSeries; ++i) {
    std::vector<std::uint32_t> references;
    for (const Label& label : labels_of(i)) {
      references.push_back(place_of(label.name));
      references.push_back(place_of(label.value));
    }
    protozero::pbf_writer writer(all);
    protozero::pbf_writer series(writer, 5);
    series.add_packed_uint32(1, references.begin(), references.end());
    {
      protozero::pbf_writer sample(series, 2);
      sample.add_double(1, static_cast<double>(i) * 1.5);
      sample.add_int64(2, time_ms);
    }
    protozero::pbf_writer metadata(series, 5);
    metadata.add_uint32(1, 1);
  }
  std::string message;
  protozero::pbf_writer writer(message);
  for (const std::string& symbol : symbols) writer.add_string(4, symbol);
  return wire::remote_write::compress_request(message + all);
}

void take_remote_write(benchmark::State& state) {
  const std::string folder = std::filesystem::temp_directory_path() / "vigia_remote_write_bench";
  const SystemClock clock;
  const bool is_2 = state.range(0) == 2;
  const std::string body = is_2 ? request_2(clock.wall_ms()) : request_1(clock.wall_ms());
  const std::shared_ptr<const tenancy::Directory> directory =
      *tenancy::Directory::parse("customers: [{id: cliente-a}]", "bench");
  const tenancy::Customer customer = *directory->find(*CustomerId::parse("cliente-a"));
  double cpu = 0;
  double samples = 0;
  for (auto _ : state) {
    std::filesystem::remove_all(folder);
    service::MetricRegistry metrics;
    books::Books books(metrics);
    series::SeriesCache series({}, clock);
    disk_log::DiskLogSettings settings;
    settings.directory = folder;
    settings.cursors = {{.name = "cold", .required = true}};
    auto opened = disk_log::DiskLog::open(settings, clock);
    CHECK(opened);
    auto log = *std::move(opened);
    Intake intake({}, {},
                  IntakeParts{log.get(), series, [&] { return directory; }, books, metrics, clock});
    std::atomic<std::size_t> in_flight = 0;
    const double before = cpu_seconds();
    for (std::size_t i = 0; i < kRequests; ++i) {
      while (in_flight >= kInFlight) std::this_thread::sleep_for(std::chrono::microseconds(50));
      ++in_flight;
      ExportRequest request{Signal::kMetrics, "remote_write", body};
      request.remote_write = is_2 ? series::WriteVersion::k2 : series::WriteVersion::k1;
      intake.take(customer, std::move(request), [&in_flight](const Result<Receipt>& receipt) {
        CHECK(receipt && receipt->written.samples == kSeries);
        --in_flight;
      });
    }
    while (in_flight > 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
    cpu += cpu_seconds() - before;
    samples += static_cast<double>(kRequests * kSeries);
    log.reset();  // its last answers still speak to intake
  }
  std::filesystem::remove_all(folder);
  state.counters["samples_a_cpu_second"] = samples / cpu;
  state.counters["sent_bytes_a_sample"] = static_cast<double>(body.size()) / kSeries;
}
BENCHMARK(take_remote_write)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);

}  // namespace
}  // namespace vigia::collector::intake
