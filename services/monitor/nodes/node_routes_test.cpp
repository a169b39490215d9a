#include "services/monitor/nodes/node_routes.hpp"

#include <gtest/gtest.h>

#include "services/monitor/testing/rest_interface.hpp"

namespace vigia::monitor::nodes {
namespace {

using testing::RestAnswer;

constexpr const char* kOfA = "/customers/cliente-a/nodes";
constexpr const char* kWeb = "/customers/cliente-a/nodes/web-01";

class NodeRoutes : public ::testing::Test {
 protected:
  NodeRoutes() {
    // As in production: of private networks, not of this machine.
    add_node_routes(rest_.table(), {rest_.database(), rest_.clock(), {false, true}});
  }
  RestAnswer create(const std::string& body) { return rest_.call("operator", "POST", kOfA, body); }
  RestAnswer change(const std::string& body) { return rest_.call("operator", "PATCH", kWeb, body); }

  testing::RestInterface rest_;
};

TEST_F(NodeRoutes, WithoutAnAddressItPushes) {
  const auto made = create(R"({"id":"web-01","region":"eu","environment":"production"})");
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body["reach"].text(), "push");
  EXPECT_TRUE(made.body["address"].is_null());
  EXPECT_EQ(made.body["is_automatic"].boolean(), false);
  EXPECT_EQ(rest_.call("cliente-a-token", "GET", kWeb).text, made.text);
  EXPECT_EQ(rest_.audited()[0].action, "node.create");
  EXPECT_EQ(create(R"({"id":"web-01"})").status, 409);
}

TEST_F(NodeRoutes, AnAddressMakesItOneThatIsAsked) {
  const auto made = create(R"({"id":"web-01","address":"10.0.0.7:8888"})");
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body["reach"].text(), "scrape");
  EXPECT_EQ(made.body["address"].text(), "10.0.0.7:8888");
  const auto named = change(R"({"region":"us"})");
  EXPECT_EQ(named.body["address"].text(), "10.0.0.7:8888") << "not named, not changed";
  EXPECT_EQ(named.body["region"].text(), "us");
  EXPECT_EQ(change(R"({"address":null})").body["reach"].text(), "push");
}

// B9: the monitor asks these, from within.
TEST_F(NodeRoutes, AnAddressOfThisMachineIsRefusedAtBothDoors) {
  EXPECT_EQ(create(R"({"id":"web-01"})").status, 201);
  for (const auto* address : {"127.0.0.1:80", "[::1]:80", "169.254.169.254:80", "0.0.0.0:80"}) {
    const auto body = std::string(R"("address":")") + address + "\"}";
    EXPECT_EQ(create(R"({"id":"other",)" + body).status, 400) << address;
    EXPECT_EQ(change("{" + body).status, 400) << address;
  }
  EXPECT_EQ(rest_.audited().size(), 1U) << "what is refused leaves no trace but in the log";
}

TEST_F(NodeRoutes, WhatIsNoNodeIsRefused) {
  for (const auto* body :
       {R"({})", R"({"id":""})", R"({"id":"with blank"})", R"({"id":"x","region":7})",
        R"({"id":"x","address":"x"})", R"({"id":"x","colour":"red"})", R"([])", R"({"id":)"}) {
    EXPECT_EQ(create(body).status, 400) << body;
  }
  const auto longest = std::string(128, 'r');
  EXPECT_EQ(create(R"({"id":"x","region":")" + longest + "r\"}").status, 400);
  EXPECT_EQ(create(R"({"id":"x","region":")" + longest + "\"}").status, 201);
}

TEST_F(NodeRoutes, OneThatIsRetiredIsGone) {
  EXPECT_EQ(create(R"({"id":"web-01"})").status, 201);
  EXPECT_EQ(rest_.call("operator", "DELETE", kWeb).status, 204);
  EXPECT_EQ(rest_.call("operator", "DELETE", kWeb).status, 404);
  EXPECT_EQ(rest_.call("operator", "GET", kWeb).status, 404);
  EXPECT_TRUE(rest_.call("operator", "GET", kOfA).body["nodes"].items().empty());
  EXPECT_EQ(rest_.audited()[0].action, "node.retire");
  EXPECT_EQ(create(R"({"id":"web-01"})").status, 201) << "and may come back";
}

TEST_F(NodeRoutes, ACustomerSeesItsOwnAndChangesNone) {
  EXPECT_EQ(create(R"({"id":"web-01"})").status, 201);
  EXPECT_EQ(rest_.call("cliente-a", "GET", kWeb).status, 200);
  EXPECT_EQ(rest_.call("cliente-b", "GET", kWeb).status, 404);
  EXPECT_EQ(rest_.call("cliente-b", "GET", kOfA).status, 404);
  EXPECT_EQ(rest_.call("cliente-a", "POST", kOfA, R"({"id":"x"})").status, 403);
  EXPECT_EQ(rest_.call("cliente-a", "PATCH", kWeb, R"({"region":"x"})").status, 403);
  EXPECT_EQ(rest_.call("cliente-a", "DELETE", kWeb).status, 403);
}

}  // namespace
}  // namespace vigia::monitor::nodes
