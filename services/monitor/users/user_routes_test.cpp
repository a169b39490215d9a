#include "services/monitor/users/user_routes.hpp"

#include <gtest/gtest.h>

#include "services/monitor/testing/rest_interface.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::users {
namespace {

using testing::RestAnswer;

constexpr const char* kOfA = "/customers/cliente-a/users";
constexpr const char* kAna = R"({"name":"ana","password":"Tr0mbon-lluvia-7"})";

class UserRoutes : public ::testing::Test {
 protected:
  UserRoutes() {
    add_user_routes(rest_.table(), {rest_.database(), rest_.clock(), hasher_,
                                    [this](const std::string& id, store::DatabaseConnection&) {
                                      ended_.push_back(id);
                                      return Result<void>();
                                    }});
  }
  RestAnswer create(const std::string& body, const std::string& path = kOfA) {
    return rest_.call("operator", "POST", path, body);
  }
  RestAnswer change(const std::string& path, const std::string& id, const std::string& body) {
    return rest_.call("operator", "PATCH", path + "/" + id, body);
  }

  PasswordHasher hasher_;
  std::vector<std::string> ended_;  // written by workers before they answer
  testing::RestInterface rest_;
};

TEST_F(UserRoutes, ANewOneIsShownWithoutItsPassword) {
  const auto made = create(kAna);
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body["name"].text(), "ana");
  EXPECT_EQ(made.body["role"].text(), "customer");
  EXPECT_TRUE(made.body["last_login_at"].is_null());
  EXPECT_EQ(made.text.find("lluvia"), std::string::npos);
  EXPECT_EQ(made.text.find("argon2"), std::string::npos);
  const auto listed = rest_.call("cliente-a", "GET", kOfA);
  EXPECT_EQ(listed.body["users"].items().size(), 1U) << listed.text;
  EXPECT_TRUE(
      rest_.call("cliente-b", "GET", "/customers/cliente-b/users").body["users"].items().empty());
  const auto kept = *rest_.database().read(
      [](store::DatabaseConnection& connection) { return find_user_by_name("ANA", connection); });
  EXPECT_TRUE(*hasher_.matches("Tr0mbon-lluvia-7", kept->password_hash));
}

TEST_F(UserRoutes, ANameIsTakenInTheWholeInstallation) {
  EXPECT_EQ(create(kAna).status, 201);
  for (const auto* path : {kOfA, "/customers/cliente-b/users", "/operators"}) {
    EXPECT_EQ(create(kAna, path).status, 409) << path;
  }
}

// R-WEB-1.
TEST_F(UserRoutes, APasswordThatIsGuessedIsRefusedAtBothDoors) {
  const auto id = create(kAna).body["id"].text().value_or("");
  for (const auto* password : {"short", "password1234", "bienvenido2025", "aaaaaaaaaaaaa"}) {
    const auto member = std::string(R"("password":")") + password + "\"}";
    const auto refused = create(R"({"name":"eva",)" + member);
    EXPECT_EQ(refused.status, 400) << password;
    EXPECT_TRUE(refused.body["message"].text()->starts_with("password:")) << refused.text;
    EXPECT_EQ(change(kOfA, id, "{" + member).status, 400) << password;
  }
  EXPECT_TRUE(ended_.empty());
}

// R-WEB-4, R-WEB-8.
TEST_F(UserRoutes, ANewPasswordAndTheEndOfARightEndSessions) {
  const auto id = create(kAna).body["id"].text().value_or("");
  EXPECT_EQ(change(kOfA, id, R"({"password":"Otra-lampara-93"})").status, 200);
  EXPECT_EQ(ended_, std::vector<std::string>{id});
  EXPECT_EQ(rest_.audited()[0].detail, "password is_enabled=true");
  const auto disabled = change(kOfA, id, R"({"is_enabled":false})");
  EXPECT_EQ(disabled.body["is_enabled"].boolean(), false) << disabled.text;
  EXPECT_EQ(ended_.size(), 2U);
  EXPECT_EQ(change(kOfA, id, R"({"is_enabled":true})").body["is_enabled"].boolean(), true);
  EXPECT_EQ(ended_.size(), 2U) << "who comes back has none";
}

TEST_F(UserRoutes, TheLastOperatorCannotBeLockedOut) {
  const auto first = create(R"({"name":"root-a","password":"Tr0mbon-lluvia-7"})", "/operators");
  ASSERT_EQ(first.status, 201) << first.text;
  EXPECT_EQ(first.body["role"].text(), "operator");
  const auto id = first.body["id"].text().value_or("");
  EXPECT_EQ(change("/operators", id, R"({"is_enabled":false})").status, 400);
  EXPECT_EQ(
      rest_.call("operator", "GET", "/operators").body["users"].items()[0]["is_enabled"].boolean(),
      true)
      << "what is refused is undone";
  EXPECT_TRUE(ended_.empty());
  EXPECT_EQ(create(R"({"name":"root-b","password":"Tr0mbon-lluvia-8"})", "/operators").status, 201);
  EXPECT_EQ(change("/operators", id, R"({"is_enabled":false})").status, 200);
}

TEST_F(UserRoutes, NobodyFindsAnothersUsers) {
  const auto id = create(kAna).body["id"].text().value_or("");
  const char* const off = R"({"is_enabled":false})";
  EXPECT_EQ(change("/customers/cliente-b/users", id, off).status, 404);
  EXPECT_EQ(change("/operators", id, off).status, 404);
  EXPECT_EQ(rest_.call("cliente-b", "GET", kOfA).status, 404);
  EXPECT_EQ(rest_.call("cliente-a-token", "GET", kOfA).status, 403);
  EXPECT_EQ(rest_.call("cliente-a", "PATCH", std::string(kOfA) + "/" + id, off).status, 403);
  EXPECT_EQ(rest_.call("cliente-a", "GET", "/operators").status, 403);
}

}  // namespace
}  // namespace vigia::monitor::users
