#include "services/router/json/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::json {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::optional<CustomerId> kA = *CustomerId::parse("a");
const std::optional<CustomerId> kEveryone;

constexpr std::string_view kAlerts =
    R"({"alerts":[{"labels":{"alertname":"x","customer_id":"a"},"value":"1e+00"},)"
    R"({"labels":{"alertname":"x","customer_id":"b"}},{"labels":{"alertname":"y"}}]})";

constexpr std::string_view kRules =
    R"({"groups":[{"name":"g","file":"/etc/secret.yml","rules":[)"
    R"({"name":"own","query":"up{customer_id=\"a\"} == 0","labels":{"customer_id":"a"},)"
    R"("alerts":[{"labels":{"customer_id":"a"}},{"labels":{"customer_id":"b"}}]},)"
    R"({"name":"other","labels":{"customer_id":"b"},"alerts":[]},)"
    R"({"name":"general","labels":{},"alerts":[]}],"interval":30},)"
    R"({"name":"h","file":"f","rules":[{"name":"other","labels":{"customer_id":"b"}}]}]})";

TEST(Rules, AlertsOfTheCustomerOnly) {
  const auto own = read_alerts(kAlerts, kA);
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(join_list(*own), R"([{"labels":{"alertname":"x","customer_id":"a"},"value":"1e+00"}])");
  EXPECT_EQ(read_alerts(kAlerts, kEveryone)->size(), 3U);
}

TEST(Rules, RulesOfTheCustomerOnly) {
  const auto own = read_groups(kRules, kA);
  ASSERT_TRUE(own.has_value());
  ASSERT_EQ(own->size(), 1U);
  EXPECT_THAT(own->front(), HasSubstr("\"own\""));
  EXPECT_THAT(own->front(), HasSubstr("\"interval\":30"));
  for (const auto* hidden : {"secret", "other", "general", "\"b\""}) {
    EXPECT_THAT(own->front(), Not(HasSubstr(hidden)));
  }
  EXPECT_EQ(read_groups(kRules, kEveryone)->size(), 2U);
}

TEST(Rules, OfItemsWithTheSameLabelsOneIsLeft) {
  std::vector<std::string> items{R"({"labels":{"a":"1","b":"2"},"value":"1"})", R"({"value":"1"})",
                                 R"({"labels":{"a":"1"},"value":"1"})",
                                 R"({"labels":{"a":"1","b":"2"},"value":"3"})", R"({"value":"1"})"};
  drop_repeated(items);
  EXPECT_EQ(join_list(items), R"([{"labels":{"a":"1","b":"2"},"value":"1"},{"value":"1"},)"
                              R"({"labels":{"a":"1"},"value":"1"},{"value":"1"}])");
}

TEST(Rules, WhatIsNotOfThatFormIsCorrupt) {
  EXPECT_FALSE(read_alerts("[]", kA).has_value());
  EXPECT_FALSE(read_groups("{}", kA).has_value());
}

}  // namespace
}  // namespace vigia::router::json
