// What it costs to read the monitor's snapshot of the largest installation.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/tenancy/directory_document.hpp"

namespace vigia::tenancy {
namespace {

std::string snapshot(std::int64_t customers, std::int64_t tokens) {
  std::string text = R"({"customers":[)";
  for (std::int64_t i = 0; i < customers; ++i) {
    if (i > 0) text += ',';
    text += fmt::format(
        R"({{"id":"c{}","name":"Customer","hot_shard":"hot-0","assigned_ms":0,"limits":{{)"
        R"("points_per_second":50000,"active_series":200000}},"tokens":[)",
        i);
    for (std::int64_t k = 0; k < tokens; ++k) {
      if (k > 0) text += ',';
      text += fmt::format(R"({{"token_sha256":"{}","scope":"ingest"}})",
                          sha256_hex(fmt::format("{} {}", i, k)));
    }
    text += "]}";
  }
  return text + R"(],"operators":[]})";
}

void read_snapshot(benchmark::State& state) {
  std::string text = snapshot(state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(read_document(text, "bench"));
  state.counters["bytes"] = static_cast<double>(text.size());
}

BENCHMARK(read_snapshot)
    ->Args({100, 10})
    ->Args({500, 100})
    ->Args({10'000, 100})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vigia::tenancy
