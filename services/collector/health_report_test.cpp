#include "services/collector/health_report.hpp"

#include <gtest/gtest.h>

namespace vigia::collector {
namespace {

TEST(HealthReport, IsUnavailableOnlyWhileNothingIsTaken) {
  HealthReport report;
  EXPECT_EQ(report.status(), 200);
  EXPECT_EQ(report.json(), R"({"status":"ok"})");
  report.reasons.push_back({"exporter", "otlp/far has taken nothing for 300 s: \"no\""});
  EXPECT_EQ(report.status(), 200);
  EXPECT_EQ(report.json(),
            R"({"status":"ok","detail":"otlp/far has taken nothing for 300 s: \"no\"","reasons":[)"
            R"({"reason":"exporter","detail":"otlp/far has taken nothing for 300 s: \"no\""}]})");
  report.reasons.push_back({"disk", "full", true});
  EXPECT_EQ(report.status(), 503);
  EXPECT_TRUE(report.json().starts_with(R"({"status":"unavailable")"));
  EXPECT_TRUE(report.json().ends_with(R"({"reason":"disk","detail":"full"}]})"));
  report = {};
  report.is_ready = false;
  EXPECT_EQ(report.status(), 503);
  EXPECT_EQ(report.json(), R"({"status":"unavailable"})");
}

TEST(HealthReport, ADoubtedClockIsAWordOfItsOwn) {
  HealthReport report;
  report.reasons.push_back({"clock", "behind"});
  EXPECT_EQ(report.status(), 200);
  EXPECT_TRUE(report.json().starts_with(R"({"status":"clock_in_doubt","detail":"behind")"));
}

TEST(HealthReport, AnExporterIsNamedAfterFiveMinutes) {
  const TimePoint since{std::chrono::hours(1)};
  const exporters::Exporter::Failing failing{since, "HTTP 503"};
  EXPECT_EQ(failing_text("otlp/far", failing, since + std::chrono::seconds(299)), "");
  EXPECT_EQ(failing_text("otlp/far", failing, since + std::chrono::seconds(301)),
            "otlp/far has taken nothing for 301 s: HTTP 503");
}

}  // namespace
}  // namespace vigia::collector
