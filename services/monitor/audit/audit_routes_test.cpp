#include "services/monitor/audit/audit_routes.hpp"

#include <gtest/gtest.h>

#include "services/monitor/testing/rest_interface.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::audit {
namespace {

using testing::RestAnswer;

class AuditRoutes : public ::testing::Test {
 protected:
  AuditRoutes() {
    add_audit_routes(rest_.table(), {rest_.database()});
    append("user:operator", "customer.create", "cliente-b");
    append("user:operator", "customer.change", "cliente-a");
    append("user:ana", "token.create", "cliente-a");
    append("user:operator", "customer.change", "cliente-b");
    append("system", "user.bootstrap", "");
    append("user:ana", "token.revoke", "cliente-a");
  }
  void append(const std::string& actor, const std::string& action, const std::string& customer) {
    store::AuditEntry entry;
    entry.time_ms = testing::kNowMs;
    entry.actor = actor;
    entry.action = action;
    if (!customer.empty()) entry.customer = *CustomerId::parse(customer);
    entry.address = "192.0.2.7:1";
    ASSERT_TRUE(rest_.database().write(
        [&](store::DatabaseConnection& c) { return store::append_audit(entry, c); }));
  }
  std::vector<std::int64_t> sequences(const std::string& caller, const std::string& query) {
    std::vector<std::int64_t> found;
    const auto answered = rest_.call(caller, "GET", "/audit" + query);
    EXPECT_EQ(answered.status, 200) << answered.text;
    for (const auto& entry : answered.body["entries"].items()) {
      found.push_back(entry["sequence"].integer().value_or(0));
    }
    return found;
  }

  using Numbers = std::vector<std::int64_t>;
  testing::RestInterface rest_;
};

TEST_F(AuditRoutes, IsReadPageByPageNewestFirst) {
  EXPECT_EQ(sequences("operator", ""), (Numbers{6, 5, 4, 3, 2, 1}));
  const auto page = rest_.call("operator", "GET", "/audit?limit=4");
  EXPECT_EQ(page.body["next_before"].integer(), 3);
  EXPECT_EQ(sequences("operator", "?limit=4&before=3"), (Numbers{2, 1}));
  for (const auto* last : {"?limit=4&before=3", "?limit=2&before=3"}) {
    const auto end = rest_.call("operator", "GET", std::string("/audit") + last);
    EXPECT_TRUE(end.body["next_before"].is_null()) << last;
  }
}

// Gaps would tell how much the others do.
TEST_F(AuditRoutes, ACustomersEntriesAreNumberedForItselfPageByPage) {
  EXPECT_EQ(sequences("cliente-a", ""), (Numbers{3, 2, 1}));
  const auto page = rest_.call("cliente-a", "GET", "/audit?limit=2");
  EXPECT_EQ(page.body["entries"].items()[0]["action"].text(), "token.revoke");
  EXPECT_EQ(page.body["entries"].items()[1]["action"].text(), "token.create");
  EXPECT_EQ(page.body["next_before"].integer(), 2);
  const auto older = rest_.call("cliente-a", "GET", "/audit?limit=2&before=2");
  ASSERT_EQ(older.body["entries"].items().size(), 1U);
  EXPECT_EQ(older.body["entries"].items()[0]["action"].text(), "customer.change");
  EXPECT_EQ(older.body["entries"].items()[0]["sequence"].integer(), 1);
  EXPECT_TRUE(older.body["next_before"].is_null());
  EXPECT_EQ(sequences("cliente-a", "?before=1"), Numbers{});
  EXPECT_EQ(sequences("cliente-a", "?before=99"), (Numbers{3, 2, 1}));
}

TEST_F(AuditRoutes, ACustomerReadsWhatConcernsIt) {
  EXPECT_EQ(sequences("operator", "?customer_id=cliente-a"), (Numbers{6, 3, 2}));
  EXPECT_EQ(sequences("cliente-a", "?customer_id=cliente-a"), (Numbers{3, 2, 1}));
  EXPECT_EQ(rest_.call("cliente-a", "GET", "/audit?customer_id=cliente-b").status, 404);
  EXPECT_EQ(rest_.call("cliente-a-token", "GET", "/audit").status, 403);
}

TEST_F(AuditRoutes, WhereTheProvidersPeopleSitIsNoneOfACustomersBusiness) {
  users::UserRow ana;
  ana.id = "1";
  ana.name = "ana";
  ana.customer = *CustomerId::parse("cliente-a");
  ASSERT_TRUE(rest_.database().write(
      [&](store::DatabaseConnection& c) { return users::insert_user(ana, c); }));
  const auto entries = rest_.call("cliente-a", "GET", "/audit").body["entries"].items();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0]["address"].text(), "192.0.2.7:1") << "its own people's";
  EXPECT_EQ(entries[2]["address"].text(), "");
  EXPECT_EQ(rest_.call("operator", "GET", "/audit").body["entries"].items()[3]["address"].text(),
            "192.0.2.7:1");
}

TEST_F(AuditRoutes, WhatIsNoPageIsRefused) {
  for (const auto* query : {"?limit=0", "?limit=501", "?limit=x", "?limit=1x", "?before=-1",
                            "?before=99999999999999999999", "?customer_id=No%20Good"}) {
    EXPECT_EQ(rest_.call("operator", "GET", std::string("/audit") + query).status, 400) << query;
  }
}

TEST_F(AuditRoutes, AnOperatorHasTheChainVerified) {
  const auto intact = rest_.call("operator", "GET", "/audit/verification");
  EXPECT_EQ(intact.body["is_intact"].boolean(), true) << intact.text;
  EXPECT_EQ(intact.body["entries"].integer(), 6);
  EXPECT_TRUE(intact.body["broken_at"].is_null());
  EXPECT_EQ(rest_.call("cliente-a", "GET", "/audit/verification").status, 403);
}

}  // namespace
}  // namespace vigia::monitor::audit
