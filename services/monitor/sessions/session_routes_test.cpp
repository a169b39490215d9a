#include "services/monitor/sessions/session_routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/monitor/sessions/sessions.hpp"
#include "services/monitor/testing/rest_interface.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::sessions {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::RestAnswer;

constexpr const char* kPassword = "Tr0mbon-lluvia-7";
constexpr const char* kOther = "cobre-lagarto-ventana-71";
constexpr std::int64_t kHourMs = 3'600'000;

// The caller "cliente-a" is a user of that id and name, in the session "s".
class SessionRoutes : public ::testing::Test {
 protected:
  SessionRoutes() {
    add_session_routes(rest_.table(), {rest_.database(), rest_.clock(), authenticator_, hasher_});
    const auto hash = *hasher_.hash(kPassword);
    write([&](store::DatabaseConnection& c) {
      for (const char* name : {"cliente-a", "cliente-b"}) {
        EXPECT_TRUE(*users::insert_user(
            {name, CustomerId::parse(name).value(), name, hash, true, testing::kNowMs, 0}, c));
      }
      return Result<void>();
    });
    add_session("s", "cliente-a", testing::kNowMs);
  }
  template <typename Function>
  void write(Function function) {
    const auto done = rest_.database().write(function);
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  void add_session(const std::string& id, const std::string& user, std::int64_t last_used_ms) {
    write([&](store::DatabaseConnection& c) {
      return insert_session(
          {id, std::string(63, '0') + id.substr(0, 1), user, testing::kNowMs, last_used_ms,
           testing::kNowMs + 24 * kHourMs, "192.0.2.1", "a browser"},
          c);
    });
  }
  std::vector<std::string> sessions_of(const std::string& user) {
    std::vector<std::string> ids;
    const auto found =
        rest_.database().read([&](store::DatabaseConnection& c) { return list_sessions(user, c); });
    for (const auto& session : *found) ids.push_back(session.id);
    return ids;
  }
  RestAnswer log_in(const std::string& user, const std::string& password) {
    return rest_.call("stranger", "POST", "/session",
                      R"({"user":")" + user + R"(","password":")" + password + "\"}");
  }
  RestAnswer change_password(const std::string& current, const std::string& wanted) {
    return rest_.call(
        "cliente-a", "POST", "/session/password",
        R"({"current_password":")" + current + R"(","new_password":")" + wanted + "\"}");
  }

  users::PasswordHasher hasher_;
  testing::RestInterface rest_;
  Authenticator authenticator_{rest_.database(), hasher_, rest_.clock(), SessionSettings{}};
};

TEST_F(SessionRoutes, WhoLogsInIsToldWhoHeIsAndWhatHeMaySee) {
  const auto answer = log_in("cliente-a", kPassword);
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.body["user"].text(), "cliente-a");
  EXPECT_EQ(answer.body["role"].text(), "customer");
  EXPECT_EQ(answer.body["customer_id"].text(), "cliente-a");
  EXPECT_EQ(answer.body["customer_name"].text(), "The cliente-a");
  EXPECT_THAT(answer.body["csrf_token"].text().value_or(""), Not(IsEmpty()));
  EXPECT_EQ(sessions_of("cliente-a").size(), 2U);
}

TEST_F(SessionRoutes, WhatIsNoLogInIsRefusedAndNamed) {
  EXPECT_EQ(log_in("cliente-a", kOther).status, 401);
  EXPECT_EQ(log_in("nobody", kPassword).status, 401);
  for (const char* body : {"{}", R"({"user":"cliente-a"})", R"({"user":"","password":"x"})",
                           R"({"user":"a","password":"b","more":1})", "[]", "{"}) {
    const auto answer = rest_.call("stranger", "POST", "/session", body);
    EXPECT_EQ(answer.status, 400) << body << answer.text;
  }
  EXPECT_EQ(sessions_of("cliente-a").size(), 1U);
}

TEST_F(SessionRoutes, ASessionIsShownToItsOwnerAndEndsWithTheLogOut) {
  const auto shown = rest_.call("cliente-a", "GET", "/session");
  EXPECT_EQ(shown.body["user"].text(), "cliente-a") << shown.text;
  EXPECT_EQ(rest_.call("cliente-a", "DELETE", "/session").status, 204);
  EXPECT_THAT(sessions_of("cliente-a"), IsEmpty());
  ASSERT_FALSE(rest_.audited().empty());
  EXPECT_EQ(rest_.audited().front().action, "session.close");
}

TEST_F(SessionRoutes, OnlyOnesOwnSessionsAreListedAndTheCurrentOneIsMarked) {
  add_session("t", "cliente-a", testing::kNowMs);
  add_session("u", "cliente-b", testing::kNowMs);
  const auto listed = rest_.call("cliente-a", "GET", "/sessions");
  ASSERT_EQ(listed.status, 200) << listed.text;
  std::vector<std::string> ids;
  for (const auto& session : listed.body["sessions"].items()) {
    ids.push_back(session["id"].text().value_or("") +
                  (session["is_current"].boolean().value_or(false) ? " current" : ""));
  }
  EXPECT_THAT(ids, ::testing::UnorderedElementsAre("s current", "t"));
  EXPECT_THAT(listed.text, Not(HasSubstr("000")));  // not their hashes
}

TEST_F(SessionRoutes, WhatWasIdleForTooLongIsNotListed) {
  add_session("t", "cliente-a", testing::kNowMs - 23 * kHourMs);
  EXPECT_EQ(rest_.call("cliente-a", "GET", "/sessions").body["sessions"].items().size(), 1U);
}

TEST_F(SessionRoutes, NobodyEndsAnotherUsersSession) {
  add_session("t", "cliente-a", testing::kNowMs);
  add_session("u", "cliente-b", testing::kNowMs);
  EXPECT_EQ(rest_.call("cliente-a", "DELETE", "/sessions/u").status, 404);
  EXPECT_THAT(sessions_of("cliente-b"), ElementsAre("u"));
  EXPECT_EQ(rest_.call("cliente-a", "DELETE", "/sessions/t").status, 204);
  EXPECT_THAT(sessions_of("cliente-a"), ElementsAre("s"));
  EXPECT_EQ(rest_.call("cliente-a", "DELETE", "/sessions/t").status, 404) << "it is gone";
}

TEST_F(SessionRoutes, ATokenHasNoSessions) {
  EXPECT_EQ(rest_.call("cliente-a-token", "GET", "/sessions").status, 403);
  EXPECT_EQ(rest_.call("cliente-a-token", "DELETE", "/session").status, 403);
  EXPECT_EQ(rest_.call("cliente-a-token", "GET", "/session").status, 200);
}

// Whoever finds an open browser must not take over the account.
TEST_F(SessionRoutes, ANewPasswordNeedsTheOldOneAndEndsTheOtherSessions) {
  add_session("t", "cliente-a", testing::kNowMs);
  add_session("u", "cliente-b", testing::kNowMs);
  EXPECT_EQ(change_password("wrong", kOther).status, 403);
  EXPECT_EQ(change_password(kPassword, "password1234").status, 400);
  EXPECT_EQ(sessions_of("cliente-a").size(), 2U);
  EXPECT_EQ(change_password(kPassword, kOther).status, 204);
  EXPECT_THAT(sessions_of("cliente-a"), ElementsAre("s"));
  EXPECT_THAT(sessions_of("cliente-b"), ElementsAre("u"));
  EXPECT_EQ(rest_.audited().front().action, "user.password");
  EXPECT_EQ(change_password(kPassword, kOther).status, 403) << "the old one is not right any more";
}

}  // namespace
}  // namespace vigia::monitor::sessions
