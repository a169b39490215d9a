#include "services/monitor/customers/customer_routes.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/monitor/customers/customers.hpp"
#include "services/monitor/customers/hot_assignment.hpp"
#include "services/monitor/testing/rest_interface.hpp"

namespace vigia::monitor::customers {
namespace {

using testing::RestAnswer;

class CustomerRoutes : public ::testing::Test {
 protected:
  CustomerRoutes() {
    add_customer_routes(rest_.table(), {rest_.database(),
                                        rest_.clock(),
                                        {"hot-0", "hot-1"},
                                        [this](const CustomerId& id, store::DatabaseConnection&) {
                                          ended_.push_back(id.text());
                                          return Result<void>();
                                        },
                                        [this] { ++directory_changes_; },
                                        [this] { ++channel_changes_; }});
  }
  RestAnswer create(const std::string& body) {
    return rest_.call("operator", "POST", "/customers", body);
  }
  RestAnswer change(const std::string& body) {
    return rest_.call("operator", "PATCH", "/customers/cliente-a", body);
  }

  // Written by workers before they answer.
  std::vector<std::string> ended_;
  int directory_changes_ = 0;
  int channel_changes_ = 0;
  testing::RestInterface rest_;
};

TEST_F(CustomerRoutes, ANewOneHasTheFirstShardSpanishAndLimits) {
  const auto made = create(R"({"id":"nuevo","name":"Nuevo S.A."})");
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body["hot_shard"].text(), "hot-0");
  EXPECT_EQ(made.body["language"].text(), "es");
  EXPECT_EQ(made.body["is_enabled"].boolean(), true);
  EXPECT_EQ(made.body["created_at"].text(), "2026-11-25T03:04:05Z");
  // One that floods is stopped before it costs the others.
  for (const auto& limit : kCustomerLimits) {
    ASSERT_TRUE(made.body["limits"][limit.name].integer()) << limit.name;
  }
  EXPECT_EQ(made.body["limits"]["points_per_second"].integer(), 50'000);
  EXPECT_EQ(rest_.call("operator", "GET", "/customers/nuevo").text, made.text);
  EXPECT_EQ(directory_changes_, 1) << "told before the answer";
  EXPECT_EQ(rest_.audited()[0].action, "customer.create");
  EXPECT_EQ(rest_.audited()[0].customer->text(), "nuevo");
}

TEST_F(CustomerRoutes, WhatCannotBeIsRefusedByItsField) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {R"({"name":"x"})", "id"},
      {R"({"id":"No Good","name":"x"})", "id"},
      {R"({"id":"x","name":""})", "name"},
      {R"({"id":"x","name":"x","hot_shard":"hot-9"})", "hot_shard"},
      {R"({"id":"x","name":"x","language":"fr"})", "language"},
      {R"({"id":"x","name":"x","limits":{"active_series":-1}})", "limits: active_series"},
      {R"({"id":"x","name":"x","limits":{"spans_per_second":1000000000001}})",
       "limits: spans_per_second"},
      {R"({"id":"x","name":"x","is_admin":true})", "is_admin"},
  };
  for (const auto& [body, field] : rows) {
    const auto refused = create(body);
    EXPECT_EQ(refused.status, 400) << body;
    EXPECT_TRUE(refused.body["message"].text().value_or("").starts_with(field)) << refused.text;
  }
  const auto all = create(R"({"is_admin":true,"language":"fr","hot_shard":"x","id":"No Good"})");
  for (const auto* problem : {"name: is missing", "language: one of es, en", "id: \"No Good\" is",
                              "hot_shard: no such", "is_admin: unknown field"}) {
    EXPECT_NE(all.body["message"].text().value_or("").find(problem), std::string::npos) << all.text;
  }
  EXPECT_EQ(create(R"({"id":"cliente-a","name":"again"})").status, 409);
  EXPECT_EQ(directory_changes_, 0);
  EXPECT_TRUE(rest_.audited().empty());
}

TEST_F(CustomerRoutes, EachSeesItselfAloneAndOperatorsAll) {
  EXPECT_EQ(rest_.call("operator", "GET", "/customers").body["customers"].items().size(), 2U);
  const auto own = rest_.call("cliente-a-token", "GET", "/customers").body["customers"].items();
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0]["id"].text(), "cliente-a");
  EXPECT_EQ(rest_.call("cliente-a", "GET", "/customers/cliente-a").status, 200);
  EXPECT_EQ(rest_.call("cliente-a", "GET", "/customers/cliente-b").status, 404);
  EXPECT_EQ(rest_.call("operator", "GET", "/customers/nobody").status, 404);
  EXPECT_EQ(rest_.call("cliente-a", "PATCH", "/customers/cliente-a", R"({"name":"x"})").status,
            403);
}

TEST_F(CustomerRoutes, TheProvidersReferenceMayBeEmpty) {
  const auto made = create(R"({"id":"nuevo","name":"N","reference":"K-17"})");
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body["reference"].text(), "K-17");
  EXPECT_EQ(rest_.call("operator", "GET", "/customers/cliente-a").body["reference"].text(), "");
  const auto changed = rest_.call("operator", "PATCH", "/customers/nuevo", R"({"reference":""})");
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.body["reference"].text(), "");
  EXPECT_EQ(change(fmt::format(R"({{"reference":"{}"}})", std::string(61, 'r'))).status, 400);
  EXPECT_EQ(change(fmt::format(R"({{"reference":"{}"}})", std::string(60, 'r'))).status, 200);
  EXPECT_EQ(channel_changes_, 0) << "no message names it";
}

TEST_F(CustomerRoutes, OneMayLieInSeveralShards) {
  const auto shards = [](const RestAnswer& answer) {
    std::vector<std::string> names;
    for (const auto& one : answer.body["hot_shards"].items()) names.push_back(*one.text());
    return names;
  };
  const auto made = create(R"({"id":"nuevo","name":"N","hot_shards":["hot-1","hot-0"]})");
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body["hot_shard"].text(), "hot-1");
  EXPECT_THAT(shards(made), ::testing::ElementsAre("hot-1", "hot-0"));
  EXPECT_EQ(rest_.call("operator", "GET", "/customers/nuevo").text, made.text);
  // One is one, however it is named.
  const auto one = create(R"({"id":"uno","name":"U","hot_shards":["hot-1"]})");
  EXPECT_EQ(one.body["hot_shard"].text(), "hot-1");
  EXPECT_THAT(shards(one), ::testing::IsEmpty());
}

TEST_F(CustomerRoutes, ShardsThatCannotBeAreRefused) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {R"(["hot-0","hot-9"])", "hot_shards: no such shard in the configuration: hot-9"},
      {R"(["hot-0","hot-0"])", "hot_shards: "},
      {R"([])", "hot_shards: a list of 1 to 8 texts"},
      {R"("hot-0")", "hot_shards: a list of 1 to 8 texts"},
      {R"([1])", "hot_shards: a text is needed"},
      {R"(["hot-0,hot-1"])", "hot_shards: no such shard"},
      {R"(["hot-0"],"hot_shard":"hot-1")", "hot_shard: is given beside hot_shards"},
  };
  for (const auto& [value, problem] : rows) {
    const auto refused = create(fmt::format(R"({{"id":"x","name":"x","hot_shards":{}}})", value));
    EXPECT_EQ(refused.status, 400) << value;
    EXPECT_TRUE(refused.body["message"].text().value_or("").starts_with(problem)) << refused.text;
  }
  EXPECT_EQ(change(R"({"hot_shards":["hot-9"]})").status, 400);
  EXPECT_EQ(change(R"({"hot_shard":"hot-1"})").status, 400) << "hot_shards is what changes";
}

// Until every collector knows of it, what is sent goes to the old ones.
TEST_F(CustomerRoutes, OtherShardsBeginMinutesLaterAndTheSameOnesNotAgain) {
  const auto id = *CustomerId::parse("cliente-a");
  const auto kept = [&] {
    return **rest_.database().read(
        [&](store::DatabaseConnection& connection) { return find_customer(id, connection); });
  };
  const auto before = kept();
  const auto split = change(R"({"hot_shards":["hot-0","hot-1"]})");
  ASSERT_EQ(split.status, 200) << split.text;
  EXPECT_THAT(kept().shards(), ::testing::ElementsAre("hot-0", "hot-1"));
  const auto settled = testing::kNowMs + std::chrono::milliseconds(kAssignmentSettles).count();
  EXPECT_EQ(kept().assigned_ms, settled);
  EXPECT_NE(kept().assigned_ms, before.assigned_ms);
  EXPECT_THAT(rest_.audited()[0].detail,
              ::testing::HasSubstr("hot_shard=hot-0 hot_shards=hot-0,hot-1"));
  rest_.clock().advance(std::chrono::hours(1));
  ASSERT_EQ(change(R"({"hot_shards":["hot-0","hot-1"]})").status, 200);
  ASSERT_EQ(change(R"({"name":"Another"})").status, 200);
  EXPECT_EQ(kept().assigned_ms, settled) << "hot would answer for an hour less";
  ASSERT_EQ(change(R"({"hot_shards":["hot-1"]})").status, 200);
  EXPECT_THAT(kept().shards(), ::testing::ElementsAre("hot-1"));
  EXPECT_EQ(kept().assigned_ms, settled + 3'600'000);
}

TEST_F(CustomerRoutes, AChangeLeavesWhatItDoesNotName) {
  const auto changed = change(R"({"language":"en","limits":{"active_series":7}})");
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.body["name"].text(), "The cliente-a");
  EXPECT_EQ(changed.body["language"].text(), "en");
  EXPECT_EQ(changed.body["limits"]["active_series"].integer(), 7);
  EXPECT_EQ(changed.body["limits"]["spans_per_second"].integer(), 0);
  EXPECT_EQ(channel_changes_, 1) << "what channels are told is in another language";
  EXPECT_EQ(rest_.audited()[0].detail,
            "name=The cliente-a is_enabled=true language=en active_series=7");
  EXPECT_EQ(change(R"({"limits":{"active_series":8}})").status, 200);
  EXPECT_EQ(channel_changes_, 1) << "and a limit is none of theirs";
  EXPECT_EQ(directory_changes_, 2);
  EXPECT_TRUE(ended_.empty());
}

TEST_F(CustomerRoutes, WhoIsDisabledLosesItsSessionsInTheSameStep) {
  EXPECT_EQ(rest_.call("operator", "DELETE", "/customers/cliente-a").status, 204);
  EXPECT_EQ(ended_, std::vector<std::string>{"cliente-a"});
  EXPECT_EQ(rest_.audited()[0].action, "customer.disable");
  const auto shown = rest_.call("operator", "GET", "/customers/cliente-a");
  EXPECT_EQ(shown.body["is_enabled"].boolean(), false) << "it stays, with all that it had";
  EXPECT_EQ(change(R"({"is_enabled":true})").body["is_enabled"].boolean(), true);
}

}  // namespace
}  // namespace vigia::monitor::customers
