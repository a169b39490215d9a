#include "libs/service/metrics.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/service/process_metrics.hpp"

namespace vigia::service {
namespace {

using testing::HasSubstr;

TEST(MetricRegistry, WritesTheTextFormat) {
  MetricRegistry registry;
  registry.counter("b_items", "Items.", {{"z", "1"}, {"a", "x\"\n\\"}}).add(3);
  registry.gauge("a_level", "Line\nbreak.").set(0.5);
  EXPECT_EQ(registry.expose(false),
            "# HELP a_level Line\\nbreak.\n# TYPE a_level gauge\na_level 0.5\n"
            "# HELP b_items Items.\n# TYPE b_items counter\n"
            "b_items{a=\"x\\\"\\n\\\\\",z=\"1\"} 3\n");
}

TEST(MetricRegistry, HistogramsAreCumulative) {
  MetricRegistry registry;
  Histogram& histogram = registry.histogram("h", "H.", {1, 2.5}, {{"k", "v"}});
  for (const double value : {0.5, 1.0, 2.0, 100.0}) histogram.observe(value);
  EXPECT_EQ(registry.expose(false),
            "# HELP h H.\n# TYPE h histogram\n"
            "h_bucket{k=\"v\",le=\"1.0\"} 2\nh_bucket{k=\"v\",le=\"2.5\"} 3\n"
            "h_bucket{k=\"v\",le=\"+Inf\"} 4\nh_sum{k=\"v\"} 103.5\nh_count{k=\"v\"} 4\n");
}

TEST(MetricRegistry, OpenMetricsSplitsTotalOffAndEnds) {
  MetricRegistry registry;
  registry.counter("x_total", "X.").add();
  registry.counter("otelcol_x", "X.").add();
  EXPECT_EQ(registry.expose(true),
            "# HELP otelcol_x X.\n# TYPE otelcol_x unknown\notelcol_x 1\n"
            "# HELP x X.\n# TYPE x counter\nx_total 1\n# EOF\n");
}

TEST(MetricRegistry, TheSameLabelsAreTheSameMetric) {
  MetricRegistry registry;
  Counter& first = registry.counter("c", "C.", {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(&first, &registry.counter("c", "C.", {{"b", "2"}, {"a", "1"}}));
  EXPECT_NE(&first, &registry.counter("c", "C.", {{"a", "2"}}));
}

TEST(MetricRegistry, CollectsAtTheScrape) {
  MetricRegistry registry;
  double value = 1;
  registry.on_collect([&value](const MetricRegistry::Emit& emit) {
    emit("queue", "Q.", MetricType::kGauge, {{"exporter", "hot"}}, value);
  });
  EXPECT_THAT(registry.expose(false), HasSubstr("queue{exporter=\"hot\"} 1\n"));
  value = 2;
  EXPECT_THAT(registry.expose(false), HasSubstr("queue{exporter=\"hot\"} 2\n"));
}

TEST(MetricRegistry, TakesMentionsFromSeveralThreads) {
  MetricRegistry registry;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&registry] {
      for (int i = 0; i < 1000; ++i) {
        registry.counter("c", "C.", {{"n", std::to_string(i % 10)}}).add();
        if (i % 100 == 0) registry.expose(false);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(registry.counter("c", "C.", {{"n", "3"}}).value(), 400U);
}

TEST(ProcessMetrics, AreThisProcess) {
  MetricRegistry registry;
  add_process_metrics(registry);
  const std::string text = registry.expose(false);
  EXPECT_THAT(text, HasSubstr("vigia_build_info{version=\"" VIGIA_VERSION "\"} 1\n"));
  for (const auto* name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                           "process_open_fds", "process_start_time_seconds"}) {
    EXPECT_THAT(text, testing::ContainsRegex("\n" + std::string(name) + " [1-90]")) << text;
  }
  EXPECT_THAT(text, testing::Not(HasSubstr("process_resident_memory_bytes 0\n")));
}

}  // namespace
}  // namespace vigia::service
