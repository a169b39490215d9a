#include "services/monitor/users/password.hpp"

#include <gtest/gtest.h>

namespace vigia::monitor::users {
namespace {

// R-WEB-1.
TEST(PasswordRules, RefuseWhatIsGuessed) {
  for (const auto* password : {"short", "password1234", "Qwertyuiop12", "123456789012",
                               "aaaaaaaaaaaa", "abcabcabcabc", "abcdefghijklm", "my-ana-maria-x"}) {
    EXPECT_FALSE(check_password_rules(password, "ana-maria").has_value()) << password;
  }
  EXPECT_FALSE(check_password_rules(std::string(1025, 'x'), "ana").has_value());
  for (const auto* password : {"Tr0mbón-lluvia-7", "kJ8_2hQxv0AzP-1c"}) {
    EXPECT_TRUE(check_password_rules(password, "ana-maria").has_value()) << password;
  }
}

// R-WEB-2.
TEST(PasswordHasher, MatchesOnlyTheSamePassword) {
  PasswordHasher hasher;
  const auto hash = hasher.hash("Tr0mbón-lluvia-7");
  ASSERT_TRUE(hash.has_value());
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
  EXPECT_TRUE(*hasher.matches("Tr0mbón-lluvia-7", *hash));
  EXPECT_FALSE(*hasher.matches("tr0mbón-lluvia-7", *hash));
  EXPECT_FALSE(*hasher.matches("anything", ""));
  EXPECT_FALSE(PasswordHasher::is_outdated(*hash));
  EXPECT_NE(*hash, *hasher.hash("Tr0mbón-lluvia-7"));
}

}  // namespace
}  // namespace vigia::monitor::users
