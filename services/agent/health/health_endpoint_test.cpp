#include "services/agent/health/health_endpoint.hpp"

#include <gtest/gtest.h>

namespace vigia::agent::health {
namespace {

TEST(HealthForm, FollowsAccept) {
  EXPECT_EQ(health_form(""), HealthForm::kJson);
  EXPECT_EQ(health_form("*/*"), HealthForm::kJson);
  EXPECT_EQ(health_form("text/html,application/xhtml+xml,*/*;q=0.8"), HealthForm::kJson);
  EXPECT_EQ(health_form("text/plain"), HealthForm::kJson);
  EXPECT_EQ(health_form("text/plain, application/json;version=1"), HealthForm::kJson);
  EXPECT_EQ(health_form("text/plain;version=0.0.4"), HealthForm::kText);
  EXPECT_EQ(health_form("text/html, Text/Plain; version=1.0.0;escaping=underscores"),
            HealthForm::kText);
  // Prometheus 2.42, as it asks.
  EXPECT_EQ(health_form("application/openmetrics-text;version=1.0.0,"
                        "application/openmetrics-text;version=0.0.1;q=0.75,"
                        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            HealthForm::kOpenMetrics);
}

TEST(HealthTexts, UptimeHasHoursAsTheLargestUnit) {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  EXPECT_EQ(format_uptime(seconds(0)), "0s");
  EXPECT_EQ(format_uptime(seconds(59)), "59s");
  EXPECT_EQ(format_uptime(seconds(725)), "12m5s");
  EXPECT_EQ(format_uptime(hours(72)), "72h");
  EXPECT_EQ(format_uptime(hours(72) + minutes(5) + seconds(9)), "72h5m");
}

TEST(HealthTexts, PercentagesAreWhole) {
  EXPECT_EQ(format_percent(0), "0%");
  EXPECT_EQ(format_percent(0.347), "0%");
  EXPECT_EQ(format_percent(25.2), "25%");
  EXPECT_EQ(format_percent(100), "100%");
}

TEST(StatusFamilies, ValuesOfOneNameAreOneFamily) {
  const auto families = status_families({{"agent_a_total", "A", true, {{"reason", "x"}}, 1},
                                         {"agent_a_total", "A", true, {{"reason", "y"}}, 2},
                                         {"agent_b", "B", false, {}, 3}},
                                        77);
  ASSERT_EQ(families.size(), 2U);
  EXPECT_EQ(families[0].points.size(), 2U);
  EXPECT_EQ(families[0].kind, host::InstrumentKind::kCounter);
  EXPECT_EQ(families[0].start_ns, 77);
  EXPECT_EQ(families[1].unit, "");
}

}  // namespace
}  // namespace vigia::agent::health
