#include "services/monitor/tokens/token_routes.hpp"

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "services/monitor/testing/rest_interface.hpp"
#include "services/monitor/tokens/limits.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor::tokens {
namespace {

using testing::RestAnswer;

constexpr const char* kOfA = "/customers/cliente-a/tokens";

class TokenRoutes : public ::testing::Test {
 protected:
  TokenRoutes() {
    add_token_routes(rest_.table(), {rest_.database(), rest_.clock(), [this] { ++changes_; }});
  }
  RestAnswer create(const std::string& body, const std::string& path = kOfA) {
    return rest_.call("operator", "POST", path, body);
  }

  int changes_ = 0;  // written by workers before they answer
  testing::RestInterface rest_;
};

// A3.
TEST_F(TokenRoutes, TheValueIsShownOnceAndItsHashAloneIsKept) {
  const auto made = create(R"({"name":"agents","scope":"ingest"})");
  ASSERT_EQ(made.status, 201) << made.text;
  const auto value = made.body["token"].text().value_or("");
  EXPECT_TRUE(value.starts_with("vgi_")) << "a scanner finds it";
  EXPECT_EQ(value.size(), 4U + 48U) << "192 bits";
  const auto listed = rest_.call("cliente-a", "GET", kOfA);
  ASSERT_EQ(listed.body["tokens"].items().size(), 1U) << listed.text;
  EXPECT_EQ(listed.text.find(value), std::string::npos);
  const auto kept = rest_.database().read([](store::DatabaseConnection& connection) {
    return list_tokens(*CustomerId::parse("cliente-a"), connection);
  });
  EXPECT_EQ(kept->front().token_sha256, sha256_hex(value));
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(rest_.audited()[0].detail, "scope=ingest name=agents");
}

TEST_F(TokenRoutes, ScopesAreThoseOfTheirOwner) {
  EXPECT_TRUE(create(R"({"name":"x","scope":"read"})").body["token"].text()->starts_with("vgr_"));
  for (const auto* scope : {"manage", "all", ""}) {
    const auto body = std::string(R"({"name":"x","scope":")") + scope + "\"}";
    EXPECT_EQ(create(body).status, 400) << scope;
  }
  EXPECT_EQ(create(R"({"name":"x"})").status, 400) << "a customer's has no default";
  const auto of_operators = create(R"({"name":"x"})", "/operator-tokens");
  EXPECT_EQ(of_operators.body["scope"].text(), "read");
  EXPECT_EQ(of_operators.body["created_by"].text(), "user:operator");
  EXPECT_TRUE(of_operators.body["token"].text()->starts_with("vgo_"));
  EXPECT_EQ(create(R"({"name":"x","scope":"ingest"})", "/operator-tokens").status, 400);
}

TEST_F(TokenRoutes, AnEndInThePastIsRefused) {
  EXPECT_EQ(create(R"({"name":"x","scope":"read","expires_at":"2026-11-25T03:04:05Z"})").status,
            400);
  const auto made = create(R"({"name":"x","scope":"read","expires_at":"2026-11-25T03:04:06Z"})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body["expires_at"].text(), "2026-11-25T03:04:06Z");
}

TEST_F(TokenRoutes, WhatIsRevokedIsListedAndTellsReaders) {
  const auto id = create(R"({"name":"x","scope":"read"})").body["id"].text().value_or("");
  const auto path = std::string(kOfA) + "/" + id;
  EXPECT_EQ(rest_.call("cliente-b", "DELETE", "/customers/cliente-b/tokens/" + id).status, 404);
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(rest_.call("cliente-a", "DELETE", path).status, 204);
  EXPECT_EQ(changes_, 2);
  const auto listed = rest_.call("operator", "GET", kOfA).body["tokens"].items();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]["revoked_at"].text(), "2026-11-25T03:04:05Z");
  EXPECT_EQ(rest_.audited()[0].action, "token.revoke");
  for (const auto* other : {"1", "00000000000000000000000000000000", "%2e%2e"}) {
    EXPECT_EQ(rest_.call("operator", "DELETE", std::string(kOfA) + "/" + other).status, 404);
  }
}

TEST_F(TokenRoutes, ACustomerHasSoManyValidOnesAndNoMore) {
  const auto owner = CustomerId::parse("cliente-a");
  const auto filled = rest_.database().write([&](store::DatabaseConnection& c) -> Result<void> {
    for (std::size_t i = 0; i < kTokensPerCustomerMax; ++i) {
      TokenRow row;
      row.id = std::to_string(i);
      row.customer = *owner;
      row.scope = "read";
      row.token_sha256 = sha256_hex(row.id);
      row.created_ms = 1;
      if (auto inserted = insert_token(row, c); !inserted) return inserted;
    }
    return {};
  });
  ASSERT_TRUE(filled.has_value());
  EXPECT_EQ(create(R"({"name":"x","scope":"read"})").status, 409);
  EXPECT_EQ(create(R"({"name":"x","scope":"read"})", "/customers/cliente-b/tokens").status, 201);
}

}  // namespace
}  // namespace vigia::monitor::tokens
