#include "libs/service/metrics_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::service {
namespace {

using testing::EndsWith;
using testing::Not;
using testing::StartsWith;

TEST(MetricsPage, IsOpenMetricsForWhomeverNamesIt) {
  for (const std::string_view accept :
       {"application/openmetrics-text", "Application/OpenMetrics-Text; version=1.0.0",
        "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0,*/*;q=0.1"})
    EXPECT_EQ(metrics_form(accept), MetricsForm::kOpenMetrics) << accept;
  for (const std::string_view accept :
       {"", "*/*", "text/plain", "application/json", "application/openmetrics", "openmetrics-text"})
    EXPECT_EQ(metrics_form(accept), MetricsForm::kText) << accept;
}

TEST(MetricsPage, SaysWhichFormItHas) {
  MetricRegistry registry;
  registry.counter("vigia_seen_total", "Seen").add(3);
  const net::Response text = metrics_page(registry, MetricsForm::kText);
  EXPECT_EQ(text.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(text.body, Not(EndsWith("# EOF\n")));
  const net::Response open = metrics_page(registry, MetricsForm::kOpenMetrics);
  EXPECT_THAT(open.headers.get("content-type"),
              StartsWith("application/openmetrics-text; version=1"));
  EXPECT_THAT(open.body, EndsWith("# EOF\n"));
  EXPECT_EQ(open.status, 200);
}

}  // namespace
}  // namespace vigia::service
