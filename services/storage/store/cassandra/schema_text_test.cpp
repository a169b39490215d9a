#include "services/storage/store/cassandra/schema_text.hpp"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/cassandra/retention_class.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(SchemaText, SettingsStandInEachStatement) {
  const auto text = read_schema(schema_cql(), {"other_place", "dc-1", 2}).value();
  EXPECT_THAT(text.base.front(), HasSubstr("EXISTS other_place\n"));
  EXPECT_THAT(text.base.front(), HasSubstr("'dc-1': 2}"));
  for (const SchemaStep& step : text.steps) {
    for (const std::string& statement : step.statements) {
      EXPECT_THAT(statement, testing::Not(HasSubstr("observability")));
      EXPECT_THAT(statement, HasSubstr("other_place."));
    }
  }
}

TEST(SchemaText, AStepHasOneHashInEachKeyspace) {
  const auto one = read_schema(schema_cql(), {}).value();
  const auto other = read_schema(schema_cql(), {"other_place", "dc-1", 2}).value();
  EXPECT_EQ(one.steps.at(0).text_hash, other.steps.at(0).text_hash);
  EXPECT_NE(one.steps.at(0).text_hash, one.steps.at(1).text_hash);
}

// What was released is in keyspaces: a changed step would be refused there. Another step is added.
TEST(SchemaText, ReleasedStepsAreAsTheyWere) {
  std::vector<std::string> hashes;
  const auto text = read_schema(schema_cql(), {}).value();
  for (const SchemaStep& step : text.steps) {
    hashes.push_back(step.text_hash.substr(0, 8));
  }
  EXPECT_THAT(hashes, ElementsAre("3366d1ab", "c26e1d63", "efb939b7", "29f11f9b", "e3b24fac",
                                  "f8ade2cb", "d5a79471", "cfd747be", "9856092d", "22e12c34",
                                  "e3146eaa", "0deb6c6a", "1f85fadc", "8121c31e"));
}

TEST(SchemaText, NoTableOfCustomersIsWithoutThemInItsPartitionKey) {
  const std::regex key(R"(PRIMARY KEY \(\(customer_id[,)]|PRIMARY KEY \(customer_id,)"
                       R"(|customer_id text PRIMARY KEY)");
  // Of nobody's data: a secret, a cut by kind of data, which instances live and what they keep,
  // from when on there are roll-ups, and whose an id is, which nothing but hashes says.
  const std::regex nobodys(
      R"(\.secrets |\.kept_from |\.instances |\.instance_retention |\.instance_customers |\.rollup_notes |\.series_claims )");
  const auto text = read_schema(schema_cql(), {}).value();
  for (const SchemaStep& step : text.steps) {
    for (const std::string& statement : step.statements) {
      if (statement.starts_with("ALTER TABLE ")) continue;  // of one that is made further up
      EXPECT_TRUE(std::regex_search(statement, key) || std::regex_search(statement, nobodys))
          << statement;
    }
  }
}

TEST(SchemaText, EachClassOfRetentionHasItsTable) {
  const auto text = read_schema(schema_cql(), {}).value();
  for (const RetentionClass& one : retention_classes()) {
    const auto table = "observability.chunks_" + std::string(one.name) + " ";
    const auto ttl = std::chrono::duration_cast<std::chrono::seconds>(one.time_to_live).count();
    const auto ends = ttl == 0 ? testing::Not(HasSubstr("default_time_to_live"))
                               : testing::Matcher<std::string>(HasSubstr(
                                     "default_time_to_live = " + std::to_string(ttl) + "\n"));
    EXPECT_THAT(text.steps.at(1).statements, Contains(testing::AllOf(HasSubstr(table), ends)));
    const auto rollups = "observability.rollups_" + std::string(one.name) + " ";
    EXPECT_THAT(text.steps.at(8).statements, Contains(testing::AllOf(HasSubstr(rollups), ends)));
  }
}

TEST(SchemaText, WhatCannotBeRunTwiceIsRefused) {
  EXPECT_FALSE(read_schema("CREATE TABLE a.b (c int PRIMARY KEY);\n", {}));
  EXPECT_FALSE(read_schema("CREATE TABLE IF NOT EXISTS a.b (\n", {}));
  EXPECT_FALSE(read_schema("-- step 2: the first\n", {}));
  EXPECT_FALSE(read_schema("-- step 1 the first\n", {}));
}

TEST(SchemaText, NamesThatWouldEndAStatementAreRefused) {
  EXPECT_TRUE(check_schema_settings({}));
  EXPECT_FALSE(check_schema_settings({"a; DROP", "dc1", 3}));
  EXPECT_FALSE(check_schema_settings({"", "dc1", 3}));
  EXPECT_FALSE(check_schema_settings({std::string(49, 'a'), "dc1", 3}));
  EXPECT_FALSE(check_schema_settings({"vigia", "dc'1", 3}));
  EXPECT_FALSE(check_schema_settings({"vigia", "dc1", 0}));
}

constexpr Duration days(int count) { return std::chrono::hours(24 * count); }

TEST(RetentionClass, TheShortestThatKeepsAsLongIsTaken) {
  EXPECT_EQ(class_of("raw", days(30)).value().name, "90d");
  EXPECT_EQ(class_of("raw", days(90)).value().name, "90d");
  EXPECT_EQ(class_of("raw", days(400)).value().name, "400d");
  EXPECT_EQ(class_of("raw", days(401)).value().name, "2y");
  EXPECT_EQ(class_of("raw", Duration()).value().name, "kept");
  const auto longer = class_of("raw", days(1826));
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error().message, HasSubstr("90d 400d 2y 5y or 0"));
}

TEST(RetentionClass, AnEndPast2038IsRefusedWithItsDate) {
  constexpr std::int64_t kIn2026 = 1'798'000'000;
  constexpr std::int64_t kLast = 2'147'483'646;  // 2038-01-19T03:14:06Z
  const RetentionClass five_years = class_of("1d", days(1825)).value();
  EXPECT_TRUE(check_expiry("1d", five_years, kIn2026));
  const std::int64_t latest = kLast - std::int64_t{1827} * 86'400;
  EXPECT_TRUE(check_expiry("1d", five_years, latest));
  const auto refused = check_expiry("1d", five_years, latest + 1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("would end on 2038-01-19T03:14:07"));
  EXPECT_TRUE(check_expiry("1d", class_of("1d", Duration()).value(), kLast));
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
