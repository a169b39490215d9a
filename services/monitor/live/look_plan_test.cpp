#include "services/monitor/live/look_plan.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "services/monitor/live/limits.hpp"
#include "services/monitor/live/testing/known_nodes.hpp"

namespace vigia::monitor::live {
namespace {

using testing::kA;
using testing::kB;
using testing::sample;

std::vector<std::vector<std::string>> names_of(const std::vector<LookGroup>& groups) {
  std::vector<std::vector<std::string>> names;
  for (const auto& group : groups) {
    auto& one = names.emplace_back();
    for (const auto& customer : group.customers) one.push_back(customer.text());
  }
  return names;
}

using Names = std::vector<std::vector<std::string>>;

std::map<CustomerId, std::size_t> customers_with(
    const std::vector<std::pair<std::string, std::size_t>>& counts) {
  std::map<CustomerId, std::size_t> nodes;
  for (const auto& [id, count] : counts) nodes[*CustomerId::parse(id)] = count;
  return nodes;
}

TEST(LookPlan, SmallCustomersAreAskedForTogetherLargeOnesAlone) {
  LookPlan plan;
  const auto groups =
      plan.groups(customers_with({{"a", 3}, {"b", 2'500}, {"c", 1'200}, {"d", 200}}));
  EXPECT_EQ(names_of(groups), (Names{{"b"}, {"a", "c"}, {"d"}}));
  // Each may add what its largest member needs, and new nodes.
  EXPECT_EQ(groups[1].series_per_customer,
            (1'200 + kRegistrationsPerLookMax) * kLiveSeriesPerNodeMax);
}

// Of 1,900 nodes it was 6 MB, heavy for the router, and stood behind customers' heavy queries.
TEST(LookPlan, AFullGroupsAnswerIsLightForTheRouter) {
  constexpr std::size_t kLightBytes = 4U << 20U;  // services/router/access/query_weights.hpp
  std::size_t series = 0;
  std::size_t bytes = 0;
  for (const auto& metric : agent_metrics()) {
    if (!metric.label.empty() && metric.label != "reason") continue;
    const std::vector<std::string_view> values =
        metric.values.empty()
            ? std::vector<std::string_view>{""}
            : std::vector<std::string_view>(metric.values.begin(), metric.values.end());
    for (const auto value : values) {
      ++series;
      bytes += std::string(R"({"metric":{"__name__":"","customer_id":"","node_id":""},)").size() +
               metric.name.size() + 24 + 32 +  // ids
               (value.empty() ? 0 : value.size() + std::string(R"(,"reason":"")").size()) +
               std::string(R"("value":[1795575845.123,"1795575845.123"]},)").size();
    }
  }
  EXPECT_LE(series, kLiveSeriesPerNodeMax);
  std::map<CustomerId, std::size_t> nodes;
  for (int i = 0; i < 400; ++i) nodes[*CustomerId::parse("c" + std::to_string(i))] = 9;
  LookPlan plan;
  const auto groups = plan.groups(nodes);
  EXPECT_EQ(groups.size(), 3U);
  for (const auto& group : groups) EXPECT_LE(group.customers.size() * 9 * bytes, kLightBytes);
}

// B5: 40,000 invented nodes of one customer, or a query that the store cannot answer in time, took
// the live state from everybody.
TEST(LookPlan, WhoSendsTooMuchIsAskedForAlone) {
  LookPlan plan;
  const auto nodes = customers_with({{"a", 1}, {"b", 1}, {"c", 1}});
  ASSERT_EQ(names_of(plan.groups(nodes)), (Names{{"a", "b", "c"}}));
  plan.note_crowded(*CustomerId::parse("b"));
  EXPECT_EQ(names_of(plan.groups(nodes)), (Names{{"a", "c"}, {"b"}}));
  for (int i = 0; i < 300; ++i) std::ignore = plan.groups(nodes);
  EXPECT_EQ(names_of(plan.groups(nodes)), (Names{{"a", "b", "c"}}));
}

TEST(LookPlan, AGroupThatFailsIsCutUntilWhoMakesItFailIsAlone) {
  LookPlan plan;
  const auto nodes = customers_with({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}});
  const auto bad = *CustomerId::parse("d");
  std::size_t looks = 0;
  std::set<std::string> unanswered;
  do {
    unanswered.clear();
    for (const auto& group : plan.groups(nodes)) {
      const bool has_bad =
          std::find(group.customers.begin(), group.customers.end(), bad) != group.customers.end();
      has_bad ? plan.note_failed(group) : plan.note_answered(group);
      if (!has_bad) continue;
      for (const auto& customer : group.customers) unanswered.insert(customer.text());
    }
  } while (++looks < 10 && unanswered.size() > 1);
  EXPECT_EQ(unanswered, std::set<std::string>{"d"});
  EXPECT_LE(looks, 4U);
  // When it has been well for long, all are together.
  for (int i = 0; i < 300; ++i) {
    for (const auto& group : plan.groups(nodes)) plan.note_answered(group);
  }
  EXPECT_EQ(plan.groups(nodes).size(), 1U);
}

// Whose questions failed was the first of the next look, and with a few of them the only ones.
TEST(LookPlan, WhoseQuestionsFailEachTimeTakesNoTurnOfThoseWhoWait) {
  LookPlan plan;
  const auto nodes = customers_with({{"a", 2'500}, {"b", 2'500}, {"c", 2'500}});
  for (int look = 0; look < 20; ++look) plan.note_failed(LookGroup{{*CustomerId::parse("a")}, 1});
  plan.note_missed(LookGroup{{*CustomerId::parse("b")}, 1});
  plan.note_missed(LookGroup{{*CustomerId::parse("c")}, 1});
  plan.note_missed(LookGroup{{*CustomerId::parse("c")}, 1});
  EXPECT_EQ(names_of(plan.groups(nodes)), (Names{{"c"}, {"b"}, {"a"}}));
  plan.note_answered(LookGroup{{*CustomerId::parse("c")}, 1});
  EXPECT_EQ(names_of(plan.groups(nodes)), (Names{{"b"}, {"a"}, {"c"}}));
}

TEST(LookPlan, AnAnswerThatIsFullNamesWhoFilledIt) {
  std::vector<VectorSample> samples;
  for (int i = 0; i < 20; ++i) samples.push_back(sample("agent_x", "n" + std::to_string(i), 1));
  EXPECT_EQ(crowded_in(LookGroup{{kA, kB}, 20}, samples), std::vector<CustomerId>{kA});
  EXPECT_TRUE(crowded_in(LookGroup{{kA, kB}, 21}, samples).empty());
}

}  // namespace
}  // namespace vigia::monitor::live
