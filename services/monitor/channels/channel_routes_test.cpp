#include "services/monitor/channels/channel_routes.hpp"

#include <gtest/gtest.h>

#include "services/monitor/channels/channel_outcomes.hpp"
#include "services/monitor/channels/limits.hpp"
#include "services/monitor/testing/rest_interface.hpp"

namespace vigia::monitor::channels {
namespace {

using testing::RestAnswer;

constexpr const char* kOfA = "/customers/cliente-a/channels";
constexpr const char* kHook = R"({"type":"webhook","target":"https://9.9.9.9/secret?key=1"})";

class ChannelRoutes : public ::testing::Test {
 protected:
  void serve(bool has_mail_server = true) {
    add_channel_routes(
        rest_.table(),
        {rest_.database(), rest_.clock(), outcomes_, {}, has_mail_server, [this] { ++changes_; }});
  }
  RestAnswer create(const std::string& body) { return rest_.call("operator", "POST", kOfA, body); }

  int changes_ = 0;  // written by workers before they answer
  testing::RestInterface rest_;
  ChannelOutcomes outcomes_{rest_.database(), rest_.clock()};
};

TEST_F(ChannelRoutes, OfAWebhooksAddressTheSecretIsNeverShown) {
  serve();
  const auto made = create(kHook);
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body["target"].text(), "https://9.9.9.9");
  EXPECT_EQ(made.body["status"].text(), "pending");
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(rest_.call("cliente-a", "GET", kOfA).text.find("secret"), std::string::npos);
  EXPECT_EQ(rest_.audited()[0].detail, "webhook https://9.9.9.9");
}

TEST_F(ChannelRoutes, AnAddressWithinIsRefused) {
  serve();
  for (const auto* target : {"http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/",
                             "http://192.168.1.1/x", "http://169.254.169.254/latest"}) {
    for (const auto* type : {"webhook", "slack"}) {
      const auto body = std::string(R"({"type":")") + type + R"(","target":")" + target + "\"}";
      EXPECT_EQ(create(body).status, 400) << body;
    }
  }
  EXPECT_EQ(changes_, 0);
}

TEST_F(ChannelRoutes, WhatAlertmanagerWouldNotReadIsRefused) {
  serve();
  for (const auto* body :
       {R"({"type":"pager","target":"https://9.9.9.9/"})",
        R"({"type":"webhook","target":"ftp://9.9.9.9/"})",
        R"({"type":"webhook","target":"https://9.9.9.9/%zz"})",
        R"({"type":"email","target":"a@x.example, b@y.example"})", R"({"type":"webhook"})",
        R"({"type":"webhook","target":"https://9.9.9.9/","file":"/etc/passwd"})"}) {
    EXPECT_EQ(create(body).status, 400) << body;
  }
}

TEST_F(ChannelRoutes, MailWantsAServer) {
  serve(false);
  EXPECT_EQ(create(R"({"type":"email","target":"ops@a.example"})").status, 409);
  EXPECT_EQ(create(kHook).status, 201) << "which the others do not";
}

TEST_F(ChannelRoutes, HowItFaresIsShownToItsOwner) {
  serve();
  const auto id = create(kHook).body["id"].text().value_or("");
  const auto newest = [&] {
    return rest_.call("cliente-a", "GET", kOfA).body["channels"].items().at(0);
  };
  EXPECT_TRUE(newest()["last_failure"].is_null());
  EXPECT_TRUE(newest()["last_delivered_at"].is_null());
  outcomes_.note_failed(*CustomerId::parse("cliente-a"), id, "it answered 500");
  EXPECT_EQ(newest()["last_failure"]["reason"].text(), "it answered 500");
  rest_.clock().advance(std::chrono::seconds(1));
  outcomes_.note_delivered(*CustomerId::parse("cliente-a"), id);
  EXPECT_EQ(newest()["last_delivered_at"].text(), "2026-11-25T03:04:06Z");
}

TEST_F(ChannelRoutes, OneThatIsDeletedIsGone) {
  serve();
  const auto id = create(kHook).body["id"].text().value_or("");
  const auto path = std::string(kOfA) + "/" + id;
  EXPECT_EQ(rest_.call("operator", "DELETE", "/customers/cliente-b/channels/" + id).status, 404);
  EXPECT_EQ(rest_.call("cliente-a", "DELETE", path).status, 403);
  EXPECT_EQ(rest_.call("operator", "DELETE", path).status, 204);
  EXPECT_EQ(rest_.call("operator", "DELETE", path).status, 404);
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(rest_.audited()[0].action, "channel.delete");
}

TEST_F(ChannelRoutes, ACustomerHasSoManyAndNoMore) {
  serve();
  for (std::size_t i = 0; i < kChannelsPerCustomerMax; ++i) ASSERT_EQ(create(kHook).status, 201);
  EXPECT_EQ(create(kHook).status, 409);
}

}  // namespace
}  // namespace vigia::monitor::channels
