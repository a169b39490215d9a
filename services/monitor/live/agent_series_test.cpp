#include "services/monitor/live/agent_series.hpp"

#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "services/monitor/internal_port/health_text.hpp"
#include "services/monitor/internal_port/node_targets.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/live/testing/known_nodes.hpp"

namespace vigia::monitor::live {
namespace {

using testing::health_of;
using testing::kA;
using testing::kNow;
using testing::kWeb;
using testing::sample;

TEST(NodeHealth, IsTextForPrometheusAndJsonForPeople) {
  NodeLive live;
  live.pushed_ms = kNow;
  live.health = health_of({{"agent_buffer_usage_percent", 25},
                           {"agent_collector_reachable", 1},
                           {"agent_uptime_seconds", 259'200}});
  const auto text = internal_port::node_health(
      &live, "application/openmetrics-text;version=1.0.0,*/*", kNow, kNow);
  EXPECT_EQ(text.status, 200);
  EXPECT_NE(text.body.find("agent_buffer_usage_percent 25\n"), std::string::npos) << text.body;
  const auto json = json::parse_json(internal_port::node_health(&live, "*/*", kNow, kNow).body);
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ((*json)["status"].text(), "healthy");
  EXPECT_EQ((*json)["buffer_usage"].text(), "25%");
  EXPECT_EQ(internal_port::node_health(&live, "*/*", kNow + 45'001, kNow + 45'001).status, 503);
  EXPECT_EQ(internal_port::node_health(nullptr, "*/*", kNow, kNow).status, 503);
  // The age of the look is not the age of the health.
  EXPECT_EQ(internal_port::node_health(&live, "*/*", kNow + 44'000, kNow + 44'000 + 45'000).status,
            200);
  EXPECT_EQ(internal_port::node_health(&live, "*/*", kNow, kNow + 45'001).status, 503);
}

// A customer's agent says what it likes; of a pushed node new series stood in hot at every look,
// and a reason was written as it came, as further lines or labels.
TEST(NodeHealth, OfANodeThatPushesHoldsNoSeriesOfACustomersChoice) {
  std::map<NodeKey, NodeLive> nodes;
  std::vector<VectorSample> samples{sample("agent_healthy", "prod-web-01", 1),
                                    sample("agent_faults_total", "prod-web-01", std::nan(""))};
  for (int i = 0; i < 100; ++i) {
    samples.push_back(sample("agent_x" + std::to_string(i), "prod-web-01", 1));
  }
  for (const std::string reason : {"x", "cap", "a\"} 1\nagent_healthy{b=\"c"}) {
    samples.push_back({Labels::from({{"__name__", "agent_buffer_dropped_total"},
                                     {"customer_id", kA.text()},
                                     {"node_id", "prod-web-01"},
                                     {"reason", reason}}),
                       2});
  }
  add_health(nodes, samples);
  NodeLive& live = nodes.at(NodeKey(kA, kWeb));
  live.pushed_ms = kNow;
  EXPECT_EQ(internal_port::node_health(&live, "text/plain;version=0.0.4", kNow, kNow).body,
            "# TYPE agent_healthy gauge\nagent_healthy 1\n"
            "# TYPE agent_buffer_dropped_total counter\n"
            "agent_buffer_dropped_total{reason=\"cap\"} 2\n");
}

}  // namespace
}  // namespace vigia::monitor::live
