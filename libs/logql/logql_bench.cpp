// Lines through stages, as a query of logs has them run. Bytes a second are those of the lines.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "libs/logql/fence.hpp"
#include "libs/logql/parser.hpp"
#include "libs/logql/pipeline/pipeline.hpp"

namespace vigia::logql {
namespace {

constexpr std::size_t kLines = 2'000;

/// Access log, logfmt and JSON, in turn; one in a hundred has an error.
const std::vector<std::string>& lines() {
  static const std::vector<std::string> made = [] {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < kLines; ++i) {
      const std::string number = std::to_string(i * 7919 % 100'000);
      const std::string level = i % 100 == 0 ? "error" : "info";
      switch (i % 3) {
        case 0:
          all.push_back("10.0.7." + std::to_string(i % 250) +
                        " - - [30/Nov/2026:08:00:00 +0000] \"GET /shop/cart/" + number +
                        " HTTP/1.1\" 200 " + number + " \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"");
          break;
        case 1:
          all.push_back("ts=2026-11-30T08:00:00.123Z level=" + level +
                        " caller=order.go:" + number + " msg=\"order " + number +
                        " was placed\" duration=" + number + "us status=200");
          break;
        default:
          all.push_back(R"({"level":")" + level +
                        R"(","ts":"2026-11-30T08:00:00Z","msg":"order placed","order":)" + number +
                        R"(,"http":{"status":200,"method":"POST"}})");
      }
    }
    return all;
  }();
  return made;
}

const char* const kStages[] = {
    "|= \"error\"",
    "|= \"timeout\" or \"refused\" != \"info\"",
    "|~ \"(?i)error|fail\"",
    "|~ \"order \\\\d+ was (placed|lost)\"",
    "|> \"<_> level=error <_>\"",
    "| json",
    "| logfmt | status >= 500",
    "| pattern \"<ip> - - [<_>] \\\"<method> <path> <_>\\\" <status> <size> <_>\"",
    "| line_format \"{{.app}} {{__line__ | trunc 20}}\""};

void bm_pipeline(benchmark::State& state) {
  const std::string text = std::string("{app=\"shop\"} ") + kStages[state.range(0)];
  const auto expr = parse_logs(text);
  auto stages = pipeline::Pipeline::compile(std::get<LogSelector>((*expr)->node));
  const Labels stream = Labels::from({{"app", "shop"}, {"node_id", "web-01"}});
  const std::vector<Label> metadata{{"trace_id", "0af7651916cd43dd8448eb211c80319c"}};
  std::size_t bytes = 0;
  for (auto _ : state) {
    for (const std::string& line : lines()) {
      benchmark::DoNotOptimize(stages->run({1, line, &stream, metadata}));
      bytes += line.size();
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.SetLabel(kStages[state.range(0)]);
}
BENCHMARK(bm_pipeline)->DenseRange(0, 8);

void bm_parse_fence_print(benchmark::State& state) {
  const CustomerId customer = *CustomerId::parse("cliente-a");
  const std::string text =
      "sum by (node_id) (rate({service_name=\"shop\"} |= \"error\" | json | status >= 500 [5m]))";
  for (auto _ : state) {
    auto expr = parse_logs(text);
    benchmark::DoNotOptimize(fenced_text(customer, **expr));
  }
}
BENCHMARK(bm_parse_fence_print);

}  // namespace
}  // namespace vigia::logql
