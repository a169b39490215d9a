#include "services/monitor/fields/customer_fields.hpp"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace vigia::monitor::fields {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Fields as somebody will add them: one of each kind, and a limit.
constexpr std::array kAdded = {
    CustomerField{.name = "sector", .kind = TextField{.value = &CustomerRow::language}, .since = 9},
    CustomerField{.name = "sites",
                  .kind = ListField{.value = &CustomerRow::hot_shards, .count_max = 8},
                  .since = 9},
    CustomerField{.name = "is_paying", .kind = FlagField{&CustomerRow::is_enabled}, .since = 9},
    CustomerField{
        .name = "paid_ms", .kind = TimeField{.value = &CustomerRow::created_ms}, .since = 8}};
constexpr std::array kAddedLimits = {CustomerLimit{
    "profiles_per_second", &CustomerLimits::active_series, &tenancy::Limits::active_series, 7, 9}};

TEST(CustomerFields, AVersionAddsItsColumnsWithWhatCustomersHadBefore) {
  EXPECT_THAT(added_columns(9, kAdded, kAddedLimits),
              ElementsAre("sector TEXT NOT NULL DEFAULT 'es'", "sites TEXT NOT NULL DEFAULT ''",
                          "is_paying BIGINT NOT NULL DEFAULT 1",
                          "profiles_per_second BIGINT NOT NULL DEFAULT 0"));
  EXPECT_THAT(added_columns(8, kAdded, kAddedLimits),
              ElementsAre("paid_ms BIGINT NOT NULL DEFAULT 0"));
  EXPECT_THAT(added_columns(6, kAdded, kAddedLimits), IsEmpty());
  EXPECT_EQ(newest_version(kAdded, kAddedLimits), 9);
  EXPECT_EQ(newest_version({}, {}), 0);
}

TEST(CustomerFields, CollectorAndRouterAreToldWhatConcernsThem) {
  CustomerRow customer{.id = *CustomerId::parse("cliente-a"),
                       .name = "A",
                       .hot_shard = "hot-1",
                       .assigned_ms = 5,
                       .created_ms = 6,
                       .hot_shards = {"hot-1", "hot-0"}};
  std::int64_t value = 100;
  for (const auto& limit : kCustomerLimits) customer.limits.*limit.value = ++value;
  const auto told = in_directory(customer);
  EXPECT_EQ(told.id, customer.id);
  EXPECT_EQ(told.name, "A");
  EXPECT_EQ(told.hot_shard, "hot-1");
  EXPECT_THAT(told.hot_shards, ElementsAre("hot-1", "hot-0"));
  EXPECT_EQ(told.assigned_ms, 5);
  EXPECT_EQ(told.limits.points_per_second, 101U);
  EXPECT_EQ(told.limits.labels_per_series, 107U);
  EXPECT_EQ(told.limits.query_range_seconds, 108U);
  EXPECT_EQ(told.limits.log_query_cpu_seconds, 116U);
}

// What stands in the contract and what is read and shown come of different files: each name is in
// both, or in neither.
class CustomerContract : public ::testing::Test {
 protected:
  using Names = std::set<std::string>;
  Names properties(const std::string& schema) const {
    Names names;
    for (const auto& property : schemas_[schema]["properties"]) {
      names.insert(property.first.as<std::string>());
    }
    return names;
  }
  Names required(const std::string& schema) const {
    Names names;
    for (const auto& name : schemas_[schema]["required"]) names.insert(name.as<std::string>());
    return names;
  }
  template <typename Condition>
  static Names fields_that(Condition condition, Names names) {
    for (const auto& field : kCustomerFields) {
      if (condition(field)) names.emplace(field.name);
    }
    return names;
  }

  const YAML::Node schemas_ = YAML::LoadFile("docs/api/openapi.yaml")["components"]["schemas"];
};

TEST_F(CustomerContract, ShowsWhatIsShown) {
  Names shown = {"id", "limits"};
  for (const auto& field : kCustomerFields) {
    const auto* time = std::get_if<TimeField>(&field.kind);
    const auto name = time == nullptr ? field.name : time->shown_as;
    if (!name.empty()) shown.emplace(name);
  }
  EXPECT_EQ(properties("Customer"), shown);
  EXPECT_EQ(required("Customer"), shown);
}

TEST_F(CustomerContract, BoundsTextsAsTheyAreRead) {
  for (const auto& field : kCustomerFields) {
    const auto* text = std::get_if<TextField>(&field.kind);
    // What hot_shard may be stands in the configuration.
    if (text == nullptr || !text->one_of.empty() || field.name == "hot_shard") continue;
    for (const auto* schema : {"NewCustomer", "CustomerChange"}) {
      const auto property = schemas_[schema]["properties"][std::string(field.name)];
      if (!property) continue;
      SCOPED_TRACE(fmt::format("{}.{}", schema, field.name));
      EXPECT_EQ(property["minLength"].as<std::size_t>(0), text->characters_min);
      EXPECT_EQ(property["maxLength"].as<std::size_t>(0), text->characters_max);
    }
  }
}

TEST_F(CustomerContract, TakesWhatIsRead) {
  EXPECT_EQ(properties("NewCustomer"),
            fields_that([](const auto& field) { return field.at_creation != AtCreation::kNo; },
                        {"id", "limits"}));
  EXPECT_EQ(required("NewCustomer"),
            fields_that([](const auto& field) { return field.at_creation == AtCreation::kMust; },
                        {"id"}));
  EXPECT_EQ(properties("CustomerChange"),
            fields_that([](const auto& field) { return field.may_change; }, {"limits"}));
  Names limits;
  for (const auto& limit : kCustomerLimits) limits.emplace(limit.name);
  EXPECT_EQ(properties("Limits"), limits);
}

}  // namespace
}  // namespace vigia::monitor::fields
