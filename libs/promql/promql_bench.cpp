// What the router does to a query before it sends it on.
#include <string>

#include <benchmark/benchmark.h>

#include "libs/promql/fence.hpp"
#include "libs/promql/info.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/query_times.hpp"
#include "libs/promql/time_range.hpp"

namespace vigia::promql {
namespace {

const char* const kQueries[] = {
    "up",
    "avg(system_cpu_usage{customer_id=\"cliente-a\"}) by (node_id)",
    "histogram_quantile(0.95, sum by (le, service) (rate(http_request_duration_seconds_bucket"
    "{environment=\"production\",node_id=~\"web-0[1-9]|api-.*\"}[5m])))",
    "sum by (node_id) (rate(a_total{x=\"1\"}[5m])) / on (node_id) group_left () "
    "max by (node_id) (max_over_time(b{y!~\"z|w\"}[1h:5m] offset 1d)) > bool 0.5 or absent(c)",
};

void bm_parse_fence_print(benchmark::State& state) {
  const CustomerId customer = *CustomerId::parse("cliente-a");
  constexpr Evaluation kTimes{0, 3'600'000};
  const std::string text = kQueries[state.range(0)];
  for (auto _ : state) {
    auto expr = parse(text, Dialect::kPrometheus2);
    benchmark::DoNotOptimize(fold_query_times(**expr, kTimes, std::chrono::seconds(15)));
    write_info_selectors(**expr);
    benchmark::DoNotOptimize(selector_ranges(**expr, kTimes));
    benchmark::DoNotOptimize(fenced_text(customer, **expr, Dialect::kPrometheus2));
  }
  state.SetLabel(text.substr(0, 40));
}
BENCHMARK(bm_parse_fence_print)->DenseRange(0, 3);

}  // namespace
}  // namespace vigia::promql
