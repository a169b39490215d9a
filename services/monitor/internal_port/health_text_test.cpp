// What Prometheus is given of a node's answer. The whole way, with nodes of bad will, is in
// tests/integration/test_nodes_asked.py.
#include "services/monitor/internal_port/health_text.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vigia::monitor::internal_port {
namespace {

std::string read_and_written(const std::string& text) {
  return health_text(read_health_text(text).series);
}

// Every series that an agent has.
std::string full_text() {
  live::AgentHealth health;
  double value = 1.5;
  for (const auto& metric : live::agent_metrics()) {
    if (metric.label.empty()) health.add(metric.name, "", value++);
    for (const auto known : metric.values) health.add(metric.name, known, value++);
  }
  return health_text(health);
}

std::size_t samples_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) -
         (text.starts_with('#') ? live::agent_metrics().size() : 0);
}

TEST(HealthText, HoldsAllThatAnAgentTells) {
  const auto text = full_text();
  EXPECT_EQ(samples_in(text), live::kAgentSeries);
  const auto again = read_health_text(text);
  EXPECT_EQ(again.lines_read, live::kAgentSeries);
  EXPECT_EQ(again.lines_malformed + again.lines_unknown + again.lines_repeated, 0U);
  EXPECT_EQ(health_text(again.series), text);
}

TEST(HealthText, IsWrittenAnewWithTheTypeOfItsNames) {
  EXPECT_EQ(read_and_written("# HELP agent_healthy anything\n# TYPE agent_healthy histogram\n"
                             "agent_buffer_dropped_total{reason=\"cap\"} 7\nagent_healthy 1\n"),
            "# TYPE agent_healthy gauge\nagent_healthy 1\n"
            "# TYPE agent_buffer_dropped_total counter\n"
            "agent_buffer_dropped_total{reason=\"cap\"} 7\n");
}

// New names, values and labels at every scrape lived in the memory of hot and cold for hours.
TEST(HealthText, ANodeHasTheSameFewSeriesWhateverItSays) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) {
    text += fmt::format("# HELP m{} h\nagent_x{{a=\"{}\"}} 1\nagent_x_{} 1\n", i, i, i);
    text += fmt::format("agent_buffer_dropped_total{{reason=\"{}\"}} 1\n", i);
    text += fmt::format("agent_healthy{{a=\"{}\",reason=\"cap\"}} {}\n", i, i);
  }
  const auto health = read_health_text(text);
  EXPECT_EQ(health_text(health.series), "# TYPE agent_healthy gauge\nagent_healthy 0\n");
  EXPECT_EQ(health.lines_unknown, 3'000U);
  EXPECT_EQ(health.lines_repeated, 999U);
  EXPECT_EQ(health.lines_malformed, 0U);
}

TEST(HealthText, OneBadLineIsOneLine) {
  const std::string good = "agent_uptime_seconds 5\n";
  for (const std::string bad : {"agent_healthy",
                                "agent_healthy x",
                                "agent_healthy 1 2 3",
                                "agent_healthy 1 x",
                                "agent_healthy 1 1.5",
                                "agent_healthy{ 1",
                                "agent_healthy{a} 1",
                                "agent_healthy{a=} 1",
                                "agent_healthy{a=\"b} 1",
                                "agent_healthy{a=\"b\\",
                                "agent_healthy{a=\"b\"c=\"d\"} 1",
                                "agent_healthy{a='b'} 1",
                                "agent_healthy{,} 1",
                                "agent_healthy{a:b=\"c\"} 1",
                                "{} 1",
                                "agent_healthy{\"a\"=\"b\"} 1",
                                "9agent 1",
                                "agent_healthy +-1",
                                "agent_healthy 1\r",
                                "agent_healthy 1e999",
                                "agent_healthy 1 99999999999999999999",
                                "agent_hea\xFFlthy 1",
                                "agent_buffer_dropped_total{reason=\"cap\",reason=\"cap\"} 1",
                                "\x0A\x01\x02\x03\x04"}) {
    const auto health = read_health_text(bad + "\n" + good);
    EXPECT_EQ(health.lines_malformed, 1U) << bad;
    EXPECT_EQ(health_text(health.series), "# TYPE agent_uptime_seconds gauge\n" + good) << bad;
    EXPECT_TRUE(health.is_text());
    EXPECT_FALSE(read_health_text(bad).is_text()) << bad;
  }
}

TEST(HealthText, TakesWhatTheFormatAllows) {
  for (const std::string line :
       {"agent_buffer_dropped_total{reason=\"cap\"} 2",
        " \tagent_buffer_dropped_total { reason = "
        "\"cap\" , } +2.0 ",
        "agent_buffer_dropped_total{b=\"\\\"}\\\\\",reason=\"cap\"} 2e0 -17",
        "agent_buffer_dropped_total{reason=\"cap\",a=\"\n\"} 2\nx 1"}) {
    const auto health = read_health_text(line);
    const bool has_newline = line.find('\n') != std::string::npos;
    EXPECT_EQ(health.series.value("agent_buffer_dropped_total", "cap"),
              has_newline ? std::nullopt : std::optional<double>(2))
        << line;
  }
  EXPECT_TRUE(read_health_text("").is_text());
  EXPECT_TRUE(read_health_text("\n# EOF\n").is_text());
}

TEST(HealthText, NumbersAreTrueToTheLastBitAndFinite) {
  for (const double value : {0.0, -0.0, 1.0 / 3, 5e-324, -1.7976931348623157e308, 1e22, 123456.5}) {
    live::AgentHealth health;
    health.add("agent_uptime_seconds", "", value);
    const auto again = read_health_text(health_text(health)).series.value("agent_uptime_seconds");
    ASSERT_TRUE(again.has_value()) << value;
    EXPECT_EQ(*again, value);
    EXPECT_EQ(std::signbit(*again), std::signbit(value));
  }
  for (const auto* const none : {"NaN", "+Inf", "-Inf", "nan", "Infinity"}) {
    const auto health = read_health_text(fmt::format("agent_healthy {}\n", none));
    EXPECT_EQ(health_text(health.series), "") << none;
    EXPECT_EQ(health.lines_unknown, 1U) << none;
  }
}

TEST(HealthText, WithoutOneLineOfTheFormatItIsNoText) {
  EXPECT_FALSE(read_health_text("<html>\n<body>no</body>\n</html>\n").is_text());
  EXPECT_FALSE(read_health_text("{\"status\":\"healthy\"}\n").is_text());
  EXPECT_FALSE(read_health_text(std::string("\x12\x0A\x0Dx\x18\x04\x00\x01", 8)).is_text());
  EXPECT_TRUE(read_health_text("another_programs_metric 1\nbad\n").is_text());
}

}  // namespace
}  // namespace vigia::monitor::internal_port
