// What a series costs in the cache: bytes of the process for each of a million, and the time to
// find one again. A resource is a node with 1,500 series: 30 metrics of 50 points, two attributes
// each.
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/check.hpp"
#include "libs/series/series_resolver.hpp"

namespace vigia::series {
namespace {

constexpr int kMetrics = 30;
constexpr int kPoints = 50;
constexpr std::uint64_t kTimeNs = 1'800'000'000'000'000'000ULL;

void add_attribute(protozero::pbf_writer& owner, protozero::pbf_tag_type field,
                   const std::string& key, const std::string& value) {
  protozero::pbf_writer attribute(owner, field);
  attribute.add_string(1, key);
  protozero::pbf_writer any(attribute, 2);
  any.add_string(1, value);
}

void add_metrics(protozero::pbf_writer& scope) {
  for (int metric = 0; metric < kMetrics; ++metric) {
    protozero::pbf_writer one(scope, 2);
    one.add_string(1, fmt::format("system.network.measure.{}", metric));
    protozero::pbf_writer gauge(one, 5);
    for (int point = 0; point < kPoints; ++point) {
      protozero::pbf_writer data_point(gauge, 1);
      data_point.add_fixed64(3, kTimeNs);
      data_point.add_double(4, point);
      add_attribute(data_point, 7, "device", fmt::format("eth{}", point));
      add_attribute(data_point, 7, "direction", point % 2 == 0 ? "transmit" : "receive");
    }
  }
}

/// Each writer has to be gone before what it writes to is used.
std::string node_body(int node) {
  std::string bytes;
  {
    protozero::pbf_writer request(bytes);
    protozero::pbf_writer metrics(request, 1);
    {
      protozero::pbf_writer resource(metrics, 1);
      add_attribute(resource, 1, "customer.id", "cliente-a");
      add_attribute(resource, 1, "node.id", fmt::format("prod-web-{:05}", node));
      add_attribute(resource, 1, "node.region", "us-east-1");
      add_attribute(resource, 1, "environment", "production");
      add_attribute(resource, 1, "service.name", "vigia-agent");
    }
    protozero::pbf_writer scope(metrics, 2);
    add_metrics(scope);
  }
  return bytes;
}

class Finding final : public SeriesResolver {
 public:
  using SeriesResolver::SeriesResolver;

 private:
  void on_point(const ResolvedPoint& point) override { CHECK(point.entry != nullptr); }
};

double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  long pages = 0;
  CHECK(file != nullptr && std::fscanf(file, "%*d %ld", &pages) == 1);
  std::fclose(file);
  return static_cast<double>(pages) * 4096;
}

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void bytes_a_series(benchmark::State& state) {
  const SystemClock clock;
  const CustomerId customer = *CustomerId::parse("cliente-a");
  const wire::prometheus::TranslatorSettings settings;
  const int nodes = static_cast<int>(state.range(0));
  for (auto _ : state) {
    SeriesCache cache({.bytes_max = 4ULL << 30U}, clock);
    const double before = resident_bytes();
    for (int node = 0; node < nodes; ++node)
      CHECK(Finding(customer, settings, cache).run(node_body(node)));
    const auto stats = cache.stats();
    const auto series = static_cast<double>(stats.series);
    state.counters["series"] = series;
    state.counters["resident_a_series"] = (resident_bytes() - before) / series;
    state.counters["counted_a_series"] = static_cast<double>(stats.bytes) / series;
    // Each another node: what is found lies in no cache of the processor, where nodes are many.
    constexpr int kRounds = 200;
    std::vector<std::string> bodies;
    for (int round = 0; round < kRounds; ++round) {
      bodies.push_back(node_body(static_cast<int>(std::int64_t{round} * nodes / kRounds)));
    }
    const double begin = cpu_seconds();
    for (const std::string& body : bodies) CHECK(Finding(customer, settings, cache).run(body));
    state.counters["cpu_ns_a_point"] =
        (cpu_seconds() - begin) * 1e9 / (double{kRounds} * kMetrics * kPoints);
  }
  ::malloc_trim(0);
}
BENCHMARK(bytes_a_series)
    ->Arg(67)
    ->Arg(333)
    ->Arg(667)
    ->Arg(1333)
    ->Arg(5000)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vigia::series
