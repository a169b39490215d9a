// What a span costs that waits for its trace's verdict: read, decided, and copied or left out.
#include <ctime>
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/check.hpp"
#include "libs/model/customer_signal.hpp"
#include "services/collector/tail_sampling/tail_sampler.hpp"

namespace vigia::collector::tail_sampling {
namespace {

constexpr std::uint64_t kRequests = 400;
constexpr std::uint64_t kSpansOfRequest = 500;
constexpr std::uint64_t kSpansOfTrace = 5;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void add_text(protozero::pbf_writer& span, const std::string& key, const std::string& value) {
  protozero::pbf_writer attribute(span, 9);
  attribute.add_string(1, key);
  protozero::pbf_writer any(attribute, 2);
  any.add_string(1, value);
}

/// Spans as an SDK sends them, five to a trace; of a tenth of the traces one is an error.
std::string request_of(std::uint64_t number) {
  std::string scope;
  for (std::uint64_t i = 0; i < kSpansOfRequest; ++i) {
    const std::uint64_t trace = (number * kSpansOfRequest + i) / kSpansOfTrace;
    const TraceId id{trace * 0x9e3779b97f4a7c15ULL, ~trace};
    protozero::pbf_writer writer(scope);
    protozero::pbf_writer span(writer, 2);
    span.add_bytes(1, std::string(bytes_of(id)));
    span.add_bytes(2, std::string(8, static_cast<char>('a' + i % 20)));
    span.add_string(5, "GET /cart");
    span.add_fixed64(7, 1'000'000'000 + i);
    span.add_fixed64(8, 1'005'000'000 + i);
    for (const char* key : {"http.route", "http.method", "net.peer.name", "thread.id"})
      add_text(span, key, "/cart/" + std::to_string(i % 50));
    if (trace % 10 == 0 && i % kSpansOfTrace == 3) {
      protozero::pbf_writer status(span, 15);
      status.add_enum(3, 2);
    }
  }
  std::string group;
  protozero::pbf_writer(group).add_message(2, scope);
  std::string body;
  protozero::pbf_writer(body).add_message(1, group);
  return body;
}

TailSamplingSettings settings_of() {
  const auto file = service::ConfigFile::parse(
      "{num_traces: 1000000, policies: [{name: e, type: status_code, status_code: {status_codes: "
      "[ERROR]}}, {name: s, type: latency, latency: {threshold_ms: 500}}, {name: p, type: "
      "string_attribute, string_attribute: {key: http.route, values: [/pay]}}]}",
      "bench");
  CHECK(file);
  config::Notes notes;
  auto settings = read_tail_sampling(file->root(), {Signal::kTraces}, notes);
  CHECK(file->finish());
  return settings;
}

void decide_and_copy(benchmark::State& state) {
  const std::string folder = std::filesystem::temp_directory_path() / "vigia_tail_sampling_bench";
  ManualClock clock(1'800'000'000'000'000'000);
  const auto settings = settings_of();
  double cpu = 0;
  double spans = 0;
  double bytes = 0;
  for (auto _ : state) {
    std::filesystem::remove_all(folder);
    service::MetricRegistry metrics;
    books::Books books(metrics);
    side::TraceShares shares;
    disk_log::DiskLogSettings log_settings;
    log_settings.directory = folder;
    log_settings.cursors = {{.name = "cold", .required = true}};
    auto log = *disk_log::DiskLog::open(log_settings, clock);
    auto sampler = *TailSampler::open(settings, {folder, 4ULL << 30U, 16U << 20U, 0, 64U << 20U},
                                      {books, metrics, clock, nullptr, shares, {"cold"}});
    sampler->begin(*log);
    for (std::uint64_t i = 0; i < kRequests; ++i) {
      disk_log::DiskRecord record{
          {.tag = {.owner = "cliente-a", .kind = kept_number(Signal::kTraces)},
           .items = kSpansOfRequest},
          request_of(i)};
      CHECK(sampler->waiting_log().append_and_wait(std::move(record)));
    }
    const double before = cpu_seconds();
    const std::size_t bytes_before = mallinfo2().uordblks;
    for (int i = 0; i < 4; ++i) sampler->turn(Duration::zero());
    bytes = static_cast<double>(mallinfo2().uordblks - bytes_before);
    clock.advance(settings.decision_wait);
    while (sampler->waiting_log().stats().cursors.at(1).queued_records > 0)
      sampler->turn(Duration::zero());
    cpu += cpu_seconds() - before;
    spans += static_cast<double>(kRequests * kSpansOfRequest);
    sampler.reset();
  }
  std::filesystem::remove_all(folder);
  state.counters["spans_a_cpu_second"] = spans / cpu;
  state.counters["bytes_a_trace"] = bytes / (kRequests * kSpansOfRequest / kSpansOfTrace);
  state.counters["ns_a_span"] = cpu / spans * 1e9;
}
BENCHMARK(decide_and_copy)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace vigia::collector::tail_sampling
