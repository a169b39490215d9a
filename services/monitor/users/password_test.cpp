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

// Each would be let in by the length alone; the Spanish ones by English lists too.
TEST(PasswordRules, AskForWhatMachinesDoNotGuess) {
  for (const auto* password :
       {"contraseña123", "Contrasena2025", "administrador1", "realmadrid2024", "bienvenido2025",
        "teamomucho12", "vigiavigia12", "barcelona2024!", "1q2w3e4r5t6y", "qazwsxedcrfv",
        "passwordpassword", "P4ssw0rd2025!", "correcthorsebatterystaple"}) {
    EXPECT_FALSE(check_password_rules(password, "ana").has_value()) << password;
  }
  for (const auto* password : {"perro-gato-casa-luna", "Otra-lampara-93", "xkvq wptm rzzl"}) {
    EXPECT_TRUE(check_password_rules(password, "ana").has_value()) << password;
  }
}

// Long ones cost no more, and are judged by what stands first.
TEST(PasswordRules, ALongOneIsJudgedByItsBeginning) {
  EXPECT_TRUE(check_password_rules("Tr0mbon-lluvia-7" + std::string(1'008, 'x'), "ana"));
  EXPECT_FALSE(check_password_rules(std::string(1'008, 'x') + "Tr0mbon-lluvia-7", "ana"));
}

TEST(PasswordRules, SayWhichOfThemItWas) {
  const auto told = [](std::string_view password) {
    const auto checked = check_password_rules(password, "ana-maria");
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(told("short"), "password: 12 to 1024 characters");
  EXPECT_EQ(told("kJ8_2hQxv0-Ana-Maria"), "password: it holds the user's name; take another");
  EXPECT_TRUE(told("password1234").starts_with("password: easily guessed")) << "portal's words_es";
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
