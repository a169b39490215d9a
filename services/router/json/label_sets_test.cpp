#include "services/router/json/label_sets.hpp"

#include <gtest/gtest.h>

namespace vigia::router::json {
namespace {

constexpr std::string_view kSeries =
    R"([{"__name__":"x","node":"a","cpu":"0"},{"cpu":"1","__name__":"x","node":"a"},)"
    R"({"__name__":"x","node":"b","cpu":"0"},{"__name__":"y","node":"b","cpu":"\u00000"}])";

TEST(LabelSets, SeriesAreCountedByTheLabelsThatCount) {
  const auto sets = LabelSets::read(kSeries);
  ASSERT_TRUE(sets.has_value());
  EXPECT_EQ(sets->size(), 4U);
  EXPECT_EQ(sets->different({{"node"}}), 2U);
  EXPECT_EQ(sets->different({{"node", "cpu"}}), 4U);
  EXPECT_EQ(sets->different({{"other"}}), 1U);
  EXPECT_EQ(sets->different({{}}), 1U);
  EXPECT_EQ(sets->different({{"cpu"}, false}), 3U);
  EXPECT_EQ(sets->most_alike({{"node"}}), 2U);
  EXPECT_EQ(sets->most_alike({{}}), 4U);
  EXPECT_EQ(sets->most_alike({{"cpu", "__name__"}, false}), 2U);
  EXPECT_EQ(sets->most_alike({{}, false}), 1U);
}

TEST(LabelSets, TheLargestIsKnown) {
  const auto sets = LabelSets::read(R"([{"a":"b"},{"name":"0123456789"},{}])");
  ASSERT_TRUE(sets.has_value());
  EXPECT_EQ(sets->size(), 3U);
  EXPECT_GE(sets->largest(), 14U);
  EXPECT_LT(sets->largest(), 20U);
}

TEST(LabelSets, NothingIsNoSeries) {
  for (const std::string_view json : {"[]", "null"}) {
    const auto sets = LabelSets::read(json);
    ASSERT_TRUE(sets.has_value());
    EXPECT_EQ(sets->size(), 0U);
    EXPECT_EQ(sets->different({{"a"}}), 0U);
    EXPECT_EQ(sets->most_alike({{"a"}}), 0U);
  }
  for (const std::string_view json : {"", "{}", "[1]", R"([{"a":1}])", R"([{"a":"b"})"}) {
    EXPECT_FALSE(LabelSets::read(json).has_value()) << json;
  }
}

}  // namespace
}  // namespace vigia::router::json
