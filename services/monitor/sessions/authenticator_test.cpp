#include "services/monitor/sessions/authenticator.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/resource.h>

#include "services/monitor/access/address.hpp"
#include "services/monitor/access/change_rate.hpp"
#include "services/monitor/access/client_address.hpp"
#include "services/monitor/access/fair_pool.hpp"
#include "services/monitor/access/throttle.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/sessions/limits.hpp"
#include "services/monitor/sessions/session_notes.hpp"
#include "services/monitor/sessions/sessions.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/testing/interrupted_database.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/users/password.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::sessions {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Cookie, ValueIsFoundByItsWholeName) {
  EXPECT_EQ(cookie_value("a=1; vigia=xyz; b=2", "vigia"), "xyz");
  EXPECT_EQ(cookie_value("notvigia=1;vigia=2", "vigia"), "2");
  EXPECT_EQ(cookie_value("vigia2=1", "vigia"), "");
  EXPECT_EQ(cookie_value("", "vigia"), "");
}

class LogIn : public ::testing::Test {
 protected:
  static constexpr const char* kPassword = "Tr0mbón-lluvia-7";

  void SetUp() override {
    head_.peer = "192.0.2.1:5000";
    const auto hash = *hasher_.hash(kPassword);
    ASSERT_TRUE((*database_).write([&](store::DatabaseConnection& c) {
      EXPECT_TRUE(*customers::insert_customer(
          customers::CustomerRow{customer_, "A", true, "hot-0", {}, 1, 1}, c));
      return users::insert_user(users::UserRow{"u1", customer_, "ana", hash, true, 1, 0}, c);
    }));
  }
  net::RequestHead with_cookie(const LoggedIn& logged_in) {
    net::RequestHead head = head_;
    head.headers.add("cookie", logged_in.cookie.substr(0, logged_in.cookie.find(';')));
    return head;
  }
  LoggedIn log_in() {
    auto logged_in = authenticator_.log_in("ana", kPassword, head_);
    EXPECT_TRUE(logged_in.has_value());
    return *logged_in;
  }

  const CustomerId customer_ = *CustomerId::parse("cliente-a");
  store::ScratchDatabase database_;
  users::PasswordHasher hasher_;
  ManualClock clock_{1'795'575'845'000'000'000};
  Authenticator authenticator_{*database_, hasher_, clock_, SessionSettings{}};
  net::RequestHead head_;
};

// R-WEB-4, R-WEB-5.
TEST_F(LogIn, EachHasASessionOfItsOwn) {
  const auto first = log_in();
  const auto second = log_in();
  EXPECT_NE(first.cookie, second.cookie);
  EXPECT_NE(first.principal.csrf_token, second.principal.csrf_token);
  EXPECT_NE(first.cookie.find("HttpOnly"), std::string::npos);
  EXPECT_NE(first.cookie.find("SameSite=Strict"), std::string::npos);
  const auto who = authenticator_.authenticate(with_cookie(first));
  ASSERT_TRUE(who.has_value());
  EXPECT_EQ(who->customer, customer_);
  EXPECT_EQ(who->name, "user:ana");
  EXPECT_EQ(who->csrf_token, first.principal.csrf_token);
}

TEST_F(LogIn, AClockThatIsAheadForAMomentEndsNoSessionForGood) {
  const auto first = log_in();
  const auto right = clock_.wall_ns();
  clock_.set_wall_ns(right + Duration(std::chrono::hours(24 * 400)).count());
  EXPECT_FALSE(authenticator_.authenticate(with_cookie(first)).has_value());
  log_in();
  log_in();
  clock_.set_wall_ns(right);
  EXPECT_TRUE(authenticator_.authenticate(with_cookie(first)).has_value());
}

// As with a full disk: that the session was used cannot be noted.
TEST_F(LogIn, WhoIsLoggedInGoesOnReadingWhereTheDatabaseTakesNoWrites) {
  const auto logged_in = log_in();
  (*database_).raise_doubt("it takes no writes");
  clock_.advance(minutes(5));
  EXPECT_FALSE(authenticator_.log_in("ana", kPassword, head_).has_value());
  EXPECT_TRUE(authenticator_.authenticate(with_cookie(logged_in)).has_value());
  clock_.advance(minutes(31));
  EXPECT_FALSE(authenticator_.authenticate(with_cookie(logged_in)).has_value());
}

// R-WEB-1.
TEST_F(LogIn, EveryReasonGetsTheSameAnswer) {
  const auto wrong = authenticator_.log_in("ana", "wrong", head_);
  const auto unknown = authenticator_.log_in("nobody", "wrong", head_);
  ASSERT_FALSE(wrong.has_value());
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(wrong.error().code, unknown.error().code);
  EXPECT_EQ(wrong.error().message, unknown.error().message);
  ASSERT_TRUE((*database_).write([&](store::DatabaseConnection& c) {
    return customers::change_customer({{.id = customer_, .is_enabled = false}, {"is_enabled"}}, c);
  }));
  const auto disabled = authenticator_.log_in("ana", kPassword, head_);
  ASSERT_FALSE(disabled.has_value());
  EXPECT_EQ(disabled.error().message, wrong.error().message);
}

// R-WEB-4.
TEST_F(LogIn, SessionsEndIdleAndAbsolutely) {
  const auto idle = log_in();
  clock_.advance(minutes(31));
  EXPECT_FALSE(authenticator_.authenticate(with_cookie(idle)).has_value());
  const auto used = log_in();
  for (int i = 0; i < 35; ++i) {
    clock_.advance(minutes(20));
    ASSERT_TRUE(authenticator_.authenticate(with_cookie(used)).has_value()) << i;
  }
  clock_.advance(minutes(21));
  EXPECT_FALSE(authenticator_.authenticate(with_cookie(used)).has_value());
}

// R-WEB-4, R-WEB-8.
TEST_F(LogIn, ADisabledUserIsOutAtOnce) {
  const auto logged_in = log_in();
  ASSERT_TRUE((*database_).write([&](store::DatabaseConnection& c) {
    return users::change_user(customer_, "u1", {.is_enabled = false}, c);
  }));
  EXPECT_FALSE(authenticator_.authenticate(with_cookie(logged_in)).has_value());
}

// R-WEB-5.
TEST_F(LogIn, OverTlsTheCookieIsBoundToTheHost) {
  SessionSettings settings;
  settings.is_secure = true;
  Authenticator secure(*database_, hasher_, clock_, settings);
  const auto logged_in = secure.log_in("ana", kPassword, head_);
  ASSERT_TRUE(logged_in.has_value());
  EXPECT_TRUE(logged_in->cookie.starts_with("__Host-vigia="));
  EXPECT_NE(logged_in->cookie.find("; Secure"), std::string::npos);
  EXPECT_NE(logged_in->cookie.find("; Path=/;"), std::string::npos);
}

TEST_F(LogIn, GuessingIsSlowedDown) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(authenticator_.log_in("ana", "wrong", head_).has_value());
  }
  const auto slowed = authenticator_.log_in("ana", kPassword, head_);
  ASSERT_FALSE(slowed.has_value());
  EXPECT_EQ(slowed.error().code, ErrorCode::kOverLimit);
  EXPECT_TRUE(slowed.error().retry_after.has_value());
  clock_.advance(seconds(2));
  EXPECT_TRUE(authenticator_.log_in("ana", kPassword, head_).has_value());
}

// Guesses from ever new addresses left the owner one try of sixty, right password or not.
TEST_F(LogIn, GuessingFromEverywhereDoesNotConcernWhereTheOwnerHasLoggedIn) {
  log_in();
  net::RequestHead stranger;
  for (int i = 0; i < 100; ++i) {
    stranger.peer = "198.51.100." + std::to_string(i) + ":1";
    EXPECT_FALSE(authenticator_.log_in("ana", "wrong", stranger).has_value());
  }
  stranger.peer = "203.0.113.1:1";
  EXPECT_EQ(authenticator_.log_in("ana", kPassword, stranger).error().code, ErrorCode::kOverLimit);
  head_.peer = "192.0.2.1:6000";
  EXPECT_TRUE(authenticator_.log_in("ana", kPassword, head_).has_value());
  // By the sessions that are kept: a restart forgets nobody.
  Authenticator restarted(*database_, hasher_, clock_, SessionSettings{});
  EXPECT_TRUE(restarted.log_in("ana", kPassword, head_).has_value());
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(authenticator_.log_in("ana", "wrong", head_).has_value());
  }
  EXPECT_FALSE(authenticator_.log_in("ana", kPassword, head_).has_value())
      << "who is known there may not guess";
}

// What an operator does between two steps of somebody's log-in holds, whichever steps they are.
class LogInInterrupted : public LogIn {
 protected:
  static std::string outdated_hash() {
    std::array<char, crypto_pwhash_STRBYTES> out{};
    EXPECT_EQ(crypto_pwhash_str(out.data(), kPassword, std::string_view(kPassword).size(),
                                crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN),
              0);
    return out.data();
  }
  void execute(std::string_view sql, const std::vector<store::Value>& values) {
    ASSERT_TRUE(
        (*database_).write([&](store::DatabaseConnection& c) { return c.execute(sql, values); }));
  }
  users::UserRow user() {
    return **(*database_).read([&](store::DatabaseConnection& c) {
      return users::find_user(customer_, "u1", c);
    });
  }
  std::size_t sessions() {
    return (*database_)
        .read([](store::DatabaseConnection& c) { return list_sessions("u1", c); })
        ->size();
  }
  // A log-in of a user whose hash is outdated, with `interruption` before its access number `at`;
  // false where it made fewer.
  bool log_in_interrupted(std::size_t at, const std::function<void()>& interruption) {
    execute("UPDATE users SET password_hash = :a, is_enabled = 1", {outdated_hash()});
    execute("DELETE FROM sessions", {});
    bool has_come = false;
    store::InterruptedDatabase interrupted(*database_, [&](std::size_t access) {
      if (access != at) return;
      has_come = true;
      interruption();
    });
    Authenticator authenticator(interrupted, hasher_, clock_, SessionSettings{});
    static_cast<void>(authenticator.log_in("ana", kPassword, head_));
    return has_come;
  }
};

TEST_F(LogInInterrupted, ADisabledUserStaysDisabled) {
  std::size_t at = 1;
  while (log_in_interrupted(
      at, [&] { execute("UPDATE users SET is_enabled = 0 WHERE id = :a", {"u1"}); })) {
    EXPECT_FALSE(user().is_enabled) << "before access " << at;
    EXPECT_EQ(sessions(), 0U) << "before access " << at;
    ++at;
  }
  EXPECT_GE(at, 3U);
  EXPECT_TRUE(user().is_enabled);
  EXPECT_EQ(sessions(), 1U);
  EXPECT_FALSE(users::PasswordHasher::is_outdated(user().password_hash));
}

// R-WEB-4.
TEST_F(LogInInterrupted, ANewPasswordStaysAndTheOldOneOpensNothing) {
  const auto wanted = *hasher_.hash("Otra-lluvia-9-tr0mpeta");
  std::size_t at = 1;
  while (log_in_interrupted(
      at, [&] { execute("UPDATE users SET password_hash = :a WHERE id = :b", {wanted, "u1"}); })) {
    EXPECT_EQ(user().password_hash, wanted) << "before access " << at;
    EXPECT_EQ(sessions(), 0U) << "before access " << at;
    ++at;
  }
  EXPECT_GE(at, 3U);
  EXPECT_EQ(sessions(), 1U);
}

}  // namespace
}  // namespace vigia::monitor::sessions
