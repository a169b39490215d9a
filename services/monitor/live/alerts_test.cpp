#include "services/monitor/live/alerts.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "services/monitor/live/testing/known_nodes.hpp"

namespace vigia::monitor::live {
namespace {

using testing::kA;

TEST(Alerts, OneOfANodeStaysAndCriticalComesFirst) {
  const auto item = [](const std::string& id, const std::string& labels) {
    return R"({"fingerprint":")" + id + R"(","startsAt":"2026-11-25T02:00:00Z","labels":{)" +
           labels + R"(},"annotations":{"summary":"s"},"status":{"state":"active"}})";
  };
  const std::string node = R"("customer_id":"cliente-a","node_id":"n")";
  const auto alerts = read_alerts(
      "[" + item("1", R"("alertname":"HighCPUUsage","severity":"warning",)" + node) + "," +
      item("2", R"("alertname":"CollectorDown","severity":"critical")") + "," +
      item("3", R"("alertname":"HighCPUUsage","severity":"warning","job":"x",)" + node) + "]");
  ASSERT_TRUE(alerts.has_value());
  ASSERT_EQ(alerts->size(), 2U);
  EXPECT_EQ((*alerts)[0].name, "CollectorDown");
  EXPECT_EQ((*alerts)[0].customer, std::nullopt);
  EXPECT_EQ((*alerts)[1].customer, kA);
}

TEST(Alerts, AreReadOneByOneSoThatACutListGivesThoseThatAreWhole) {
  const std::string one = R"({"fingerprint":"1","labels":{"alertname":"a}\"]{","node_id":"n"}})";
  EXPECT_EQ(read_alerts(" [ " + one + " ] ")->front().name, "a}\"]{");
  EXPECT_EQ(read_alerts("[]")->size(), 0U);
  const std::string whole = "[" + one + "," + one + "]";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(read_alerts(whole.substr(0, i)).has_value()) << i;
    if (i == 0) continue;
    const auto cut = read_alerts(whole.substr(0, i), true);
    ASSERT_TRUE(cut.has_value()) << i;
    EXPECT_EQ(cut->size(), i <= one.size() ? 0U : 1U) << i;  // the second is the same node's
  }
  for (const std::string bad : {"", "{}", "[1]", "[{]", "[{},]", "[{}{}]", "[{\"a\" 1}]", "null"}) {
    EXPECT_FALSE(read_alerts(bad).has_value()) << bad;
  }
}

TEST(Alerts, ASignalBetweenRulesIsNoAlertForPeople) {
  const auto alerts = read_alerts(
      R"([{"fingerprint":"1","startsAt":"2026-11-25T02:00:00Z","labels":{"alertname":"NodeAlertsHeld",)"
      R"("severity":"info"},"status":{"state":"active"}},)"
      R"({"fingerprint":"2","startsAt":"2026-11-25T02:00:00Z","labels":{"alertname":"B"},)"
      R"("status":{"state":"active"}}])");
  ASSERT_EQ(alerts->size(), 1U);
  EXPECT_EQ((*alerts)[0].name, "B");
}

TEST(Alerts, OneThatAnotherExplainsIsNotSilencedByAPerson) {
  const auto alerts = read_alerts(
      R"([{"fingerprint":"1","startsAt":"2026-11-25T02:00:00Z","labels":{"alertname":"A"},)"
      R"("status":{"state":"suppressed","inhibitedBy":["2"],"silencedBy":[]}},)"
      R"({"fingerprint":"2","startsAt":"2026-11-25T02:00:00Z","labels":{"alertname":"B"},)"
      R"("status":{"state":"suppressed","inhibitedBy":[],"silencedBy":["x"]}}])");
  ASSERT_TRUE(alerts.has_value());
  EXPECT_TRUE((*alerts)[0].is_inhibited);
  EXPECT_FALSE((*alerts)[0].is_silenced);
  EXPECT_TRUE((*alerts)[1].is_silenced);
}

}  // namespace
}  // namespace vigia::monitor::live
