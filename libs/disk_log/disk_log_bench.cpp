// Appends of OTLP-like bodies, 1,000 points each, eight in flight, on the disk under /tmp or
// VIGIA_BENCH_DIR. points_a_cpu_second counts the CPU of all threads, fdatasync included.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "libs/disk_log/disk_log.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::uint32_t kPointsABody = 1000;
constexpr int kInFlight = 8;

/// About 313 bytes a point, most of it attributes that repeat, as OTLP bodies are.
std::string body() {
  std::string bytes;
  for (std::uint32_t i = 0; i < kPointsABody; ++i) {
    bytes += "\x3a\x10service.instance\x12\x0ahost-" + std::to_string(i * 7919 % 100'000);
    for (const char* key : {"node.id", "node.region", "environment", "device", "state", "mode"})
      bytes += std::string("\x3a\x20") + key + "\x12\x18value-of-this-attribute";
    bytes += std::to_string(1'700'000'000'000'000'000ULL + std::uint64_t{i} * 15'000'000'000ULL);
    bytes += std::string(8, static_cast<char>(i * 31));
  }
  return bytes;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void append(benchmark::State& state) {
  const char* parent = std::getenv("VIGIA_BENCH_DIR");
  const std::string directory = std::string(parent != nullptr ? parent : "/tmp") + "/vigia-bench";
  std::filesystem::remove_all(directory);
  const SystemClock clock;
  DiskLogSettings settings;
  settings.directory = directory;
  settings.cursors = {{.name = "none", .required = false}};
  settings.bytes_max = 1U << 30U;
  auto log = *DiskLog::open(settings, clock);
  const std::string plain = body();
  std::atomic<int> in_flight{0};
  std::atomic<std::uint64_t> stored{0};
  const double cpu_before = cpu_seconds();
  for (auto _ : state) {
    while (in_flight >= kInFlight) std::this_thread::sleep_for(std::chrono::microseconds(50));
    ++in_flight;
    log->append({{.tag = {.owner = "cliente-a"}, .items = kPointsABody}, plain},
                [&](const Result<RecordHeader>& header) {
                  if (header) stored += header->stored_bytes;
                  --in_flight;
                });
  }
  while (in_flight > 0) std::this_thread::yield();
  const double points = static_cast<double>(state.iterations()) * kPointsABody;
  state.counters["points_a_cpu_second"] = points / (cpu_seconds() - cpu_before);
  state.counters["points_a_second"] = benchmark::Counter(points, benchmark::Counter::kIsRate);
  state.counters["bytes_a_point"] = static_cast<double>(stored) / points;
  state.counters["records_a_sync"] =
      static_cast<double>(log->stats().appended_records) / static_cast<double>(log->stats().syncs);
  log.reset();
  std::filesystem::remove_all(directory);
}
BENCHMARK(append)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vigia::disk_log
