#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/resource.h>

#include "services/monitor/access/address.hpp"
#include "services/monitor/access/authenticator.hpp"
#include "services/monitor/access/change_rate.hpp"
#include "services/monitor/access/client_address.hpp"
#include "services/monitor/access/fair_pool.hpp"
#include "services/monitor/access/password.hpp"
#include "services/monitor/access/session_notes.hpp"
#include "services/monitor/access/throttle.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/customers.hpp"
#include "services/monitor/store/interrupted_database.hpp"
#include "services/monitor/store/scratch_database.hpp"
#include "services/monitor/store/sessions.hpp"
#include "services/monitor/store/users.hpp"

namespace vigia::monitor::access {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

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

class Throttle : public ::testing::Test {
 protected:
  void fail_times(int times, const std::string& user, const std::string& address) {
    for (int i = 0; i < times; ++i) throttle_.note_failure(user, address);
  }
  std::optional<Duration> wait(const std::string& user, const std::string& address) {
    const auto asked = throttle_.begin_try(user, address);
    if (!asked) throttle_.end_try(user, address, LoginThrottle::Outcome::kUndecided);
    return asked;
  }
  ManualClock clock_{1'795'575'845'000'000'000};
  LoginThrottle throttle_{clock_};
};

// R-WEB-1.
TEST_F(Throttle, FiveFailuresAreFreeThenItDoubles) {
  fail_times(4, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), std::nullopt);
  fail_times(1, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), seconds(1));
  clock_.advance(seconds(1));
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), std::nullopt);
  fail_times(3, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), seconds(8));
  fail_times(30, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), minutes(5));
}

TEST_F(Throttle, AddressesOfOneIpv6NetworkAreOne) {
  fail_times(3, "ana", "[2001:db8:1:2::1]:1000");
  fail_times(2, "ana", "[2001:db8:1:2:ffff::9]:1000");
  EXPECT_EQ(wait("ana", "[2001:db8:1:2:abcd::5]:7"), seconds(1));
  EXPECT_EQ(wait("ana", "[2001:db8:1:3::1]:7"), std::nullopt);
  fail_times(5, "eva", "[::ffff:192.0.2.1]:1000");
  EXPECT_EQ(wait("eva", "[::ffff:192.0.2.2]:7"), std::nullopt);
}

// R-WEB-1.
TEST_F(Throttle, AnAttackFromElsewhereNeverShutsTheOwnerOut) {
  for (int i = 0; i < 500; ++i) fail_times(1, "ana", "198.51.100." + std::to_string(i) + ":1");
  const auto asked = wait("ana", "192.0.2.1:1000");
  ASSERT_TRUE(asked.has_value());
  EXPECT_LE(*asked, seconds(5));
}

TEST_F(Throttle, OneAddressThatTriesManyUsersIsSlowedDown) {
  for (int i = 0; i < 60; ++i) fail_times(1, "user" + std::to_string(i), "192.0.2.1:1");
  EXPECT_TRUE(wait("fresh", "192.0.2.1:9").has_value());
  EXPECT_EQ(wait("fresh", "192.0.2.2:9"), std::nullopt);
}

TEST_F(Throttle, SuccessAndTimeForget) {
  fail_times(6, "ana", "192.0.2.1:1000");
  clock_.advance(seconds(2));
  ASSERT_EQ(throttle_.begin_try("ana", "192.0.2.1:1000"), std::nullopt);
  throttle_.end_try("ana", "192.0.2.1:1000", LoginThrottle::Outcome::kRight);
  fail_times(4, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:1000"), std::nullopt);
  fail_times(6, "eva", "192.0.2.9:1000");
  clock_.advance(hours(2));
  EXPECT_EQ(wait("eva", "192.0.2.9:1000"), std::nullopt);
}

// B9: 300 at once were looked at before the first failure was noted.
TEST_F(Throttle, TriesAtOnceAreNoMoreThanTriesInARow) {
  int begun = 0;
  for (int i = 0; i < 300; ++i) {
    if (!throttle_.begin_try("ana", "192.0.2.1:1000")) ++begun;
  }
  EXPECT_EQ(begun, 5);
  for (int i = 0; i < begun; ++i) {
    throttle_.end_try("ana", "192.0.2.1:1000", LoginThrottle::Outcome::kWrong);
  }
  EXPECT_EQ(wait("ana", "192.0.2.1:1000"), seconds(1));
  clock_.advance(seconds(1));
  EXPECT_EQ(throttle_.begin_try("ana", "192.0.2.1:1000"), std::nullopt);
  EXPECT_TRUE(throttle_.begin_try("ana", "192.0.2.1:1001").has_value()) << "one at a time now";
}

// R-WEB-9.
TEST(Forwarded, IsReadFromTheRightAndFromTrustedPeersOnly) {
  const auto proxies = TrustedProxies::parse({"10.0.0.0/8", "2001:db8::/32", "192.0.2.1"});
  ASSERT_TRUE(proxies.has_value());
  const auto client = [&](const std::string& peer, net::Headers headers) {
    net::RequestHead head;
    head.peer = peer;
    head.headers = std::move(headers);
    return proxies->client_of(head);
  };
  EXPECT_EQ(client("10.1.2.3:4", {{"x-forwarded-for", "198.51.100.7"}}), "198.51.100.7");
  EXPECT_EQ(client("[::ffff:10.1.2.3]:4", {{"x-forwarded-for", "198.51.100.7"}}), "198.51.100.7");
  // What the client wrote itself stands left of what the proxy saw.
  EXPECT_EQ(client("10.1.2.3:4", {{"x-forwarded-for", "8.8.8.8, 198.51.100.7"}}), "198.51.100.7");
  EXPECT_EQ(client("10.1.2.3:4",
                   {{"x-forwarded-for", "8.8.8.8"}, {"x-forwarded-for", "198.51.100.7, 10.9.9.9"}}),
            "198.51.100.7");
  EXPECT_EQ(client("198.51.100.9:4", {{"x-forwarded-for", "8.8.8.8"}}), "198.51.100.9:4");
  EXPECT_EQ(client("198.51.100.7:0", {{"x-forwarded-for", "8.8.8.8"}}), "198.51.100.7")
      << "the server has asked the proxy";
  EXPECT_EQ(client("10.1.2.3:4", {{"x-forwarded-for", "nonsense"}}), "10.1.2.3:4");
  EXPECT_EQ(client("10.1.2.3:4", {}), "10.1.2.3:4");
  EXPECT_EQ(client("10.1.2.3:4", {{"x-forwarded-for", "2001:dead::1"}}), "[2001:dead::1]");
  EXPECT_EQ(client("[2001:db8::9]:4",
                   {{"forwarded", "for=8.8.8.8;proto=https, FOR=\"[2001:dead::1]:47\";by=x"}}),
            "[2001:dead::1]:47");
  EXPECT_EQ(client("192.0.2.1:4", {{"forwarded", "for=_hidden"}}), "192.0.2.1:4");
  EXPECT_EQ(client("192.0.2.1:4", {{"forwarded", "proto=https"}}), "192.0.2.1:4");
  for (const auto* bad : {"", "10.0.0.0/33", "10.0.0/8", "x", "10.0.0.0/", "::/129"}) {
    EXPECT_FALSE(TrustedProxies::parse({bad}).has_value()) << bad;
  }
  EXPECT_EQ(caller_key("198.51.100.7"), caller_key("198.51.100.7:99"));
  EXPECT_EQ(caller_key("[2001:db8:1:2::3]"), caller_key("[2001:db8:1:2::4]:5"));
}

class Refused : public ::testing::Test {
 protected:
  std::vector<store::AuditEntry> entries() {
    return *(*database_).read([](store::Connection& connection) {
      return store::list_audit(std::nullopt, 0, 10'000, connection);
    });
  }
  store::ScratchDatabase database_;
  ManualClock clock_{1'795'575'845'000'000'000};
  Result<void> refuse(const std::string& user, const std::string& address) {
    return notes_.note(SessionEvent{"session.refused", user, std::nullopt, address});
  }
  SessionNotes notes_{*database_, clock_};
};

TEST_F(Refused, RepeatsAreCountedAndWrittenOnce) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(refuse("ana", "192.0.2.1:1").has_value());
  EXPECT_EQ(entries().size(), 1U);
  clock_.advance(minutes(11));
  ASSERT_TRUE(notes_.flush().has_value());
  ASSERT_EQ(entries().size(), 2U);
  EXPECT_EQ(entries().front().detail, "times=99 since=2026-11-25T03:04:05Z");
  EXPECT_EQ(entries().front().actor, "user:ana");
  ASSERT_TRUE(notes_.flush().has_value());
  EXPECT_EQ(entries().size(), 2U);
}

TEST_F(Refused, TenMinutesAreBoundedHoweverManyUsersAndAddresses) {
  for (int i = 0; i < 5000; ++i) {
    const auto user = "u" + std::to_string(i % 1000);
    ASSERT_TRUE(refuse(user, "198.51.100." + std::to_string(i % 250) + ":1").has_value());
  }
  ASSERT_TRUE(notes_.flush_now().has_value());
  EXPECT_LE(entries().size(), 2 * kRefusedKindsMax + 1);
  EXPECT_EQ(entries().front().actor, "user:(others)");
  // Nothing is lost: those written at once, and the counts.
  std::uint64_t told = 0;
  for (const auto& entry : entries()) {
    told += entry.detail.empty() ? 1 : std::stoul(entry.detail.substr(entry.detail.find('=') + 1));
  }
  EXPECT_EQ(told, 5000U);
  EXPECT_FALSE(
      (*database_)
          .read([](store::Connection& connection) { return store::verify_audit(connection); })
          ->broken_at.has_value());
}

TEST_F(Refused, LogInsThatSucceedAreBoundedByUserAndByCustomer) {
  const auto a = *CustomerId::parse("cliente-a");
  const auto b = *CustomerId::parse("cliente-b");
  for (int i = 0; i < 1000; ++i) {
    const auto address = "198.51.100." + std::to_string(i % 250) + ":1";
    ASSERT_TRUE(notes_.note({"session.open", "ana", a, address}).has_value());
  }
  EXPECT_EQ(entries().size(), kSessionKindsOfUserMax);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(
        notes_.note({"session.open", "u" + std::to_string(i), a, "192.0.2.1:1"}).has_value());
  }
  EXPECT_EQ(entries().size(), kSessionKindsMax);
  ASSERT_TRUE(notes_.note({"session.open", "berta", b, "192.0.2.2:1"}).has_value());
  ASSERT_TRUE(notes_.note({"session.close", "berta", b, "192.0.2.2:1"}).has_value());
  EXPECT_EQ(entries().size(), kSessionKindsMax + 2) << "another customer's are named all the same";
  EXPECT_EQ(entries().front().action, "session.close");
  ASSERT_TRUE(notes_.flush_now().has_value());
  EXPECT_LE(entries().size(), 2 * kSessionKindsMax + 3);
  std::uint64_t told = 0;
  for (const auto& entry : entries()) {
    if (entry.customer != a) continue;
    told += entry.detail.empty() ? 1 : std::stoul(entry.detail.substr(entry.detail.find('=') + 1));
  }
  EXPECT_EQ(told, 2000U);
}

TEST(ChangeRate, ABurstThenOneInSoLongAndEachCustomerItsOwn) {
  ManualClock clock{1'795'575'845'000'000'000};
  ChangeRate rate(clock, {3, seconds(5)});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(rate.take("a").has_value());
  EXPECT_EQ(rate.take("a"), Duration(seconds(5)));
  EXPECT_FALSE(rate.take("b").has_value());
  clock.advance(seconds(2));
  EXPECT_EQ(rate.take("a"), Duration(seconds(3))) << "to be refused costs nothing";
  clock.advance(seconds(3));
  EXPECT_FALSE(rate.take("a").has_value());
  EXPECT_TRUE(rate.take("a").has_value());
}

TEST(FairPool, ACallerHasAsManyAsAreFreeAndAnotherAlwaysFindsRoom) {
  std::promise<void> open;
  std::promise<void> begun;
  const ManualClock clock{0};
  FairPool pool(FairPoolLimits{1, 100, 100, 100, 16, 2}, clock);
  ASSERT_TRUE(pool.submit("first", [&] {
    begun.set_value();
    open.get_future().wait();
  }));
  begun.get_future().wait();
  const auto fill = [&](const std::string& caller) {
    int taken = 0;
    while (pool.submit(caller, [] {})) ++taken;
    return taken;
  };
  EXPECT_EQ(fill("a"), 8);
  EXPECT_EQ(fill("b"), 4);
  EXPECT_EQ(fill("c"), 2);
  for (int i = 0; i < 50; ++i) fill("x" + std::to_string(i));
  EXPECT_EQ(fill("late"), 0) << "strangers have as many as they may";
  // Whoever owns ten addresses has two of them; another's stays known.
  pool.note_known("other", "b");
  for (int i = 0; i < 10; ++i) pool.note_known("many" + std::to_string(i), "a");
  EXPECT_EQ(fill("many9"), 8);
  EXPECT_EQ(fill("many8"), 4);
  EXPECT_EQ(fill("many0"), 0) << "it is a stranger again";
  EXPECT_GT(fill("other"), 0);
  open.set_value();
}

// Behind all other threads of a busy machine a log-in took 200 to 400 ms, for whoever it was.
TEST(FairPool, OneOfAnOwnersKnownCallersIsPromptOnceInAWhile) {
  ManualClock clock{0};
  std::promise<void> open;
  std::promise<void> begun;
  std::atomic<int> behind = 0;
  FairPoolLimits limits{1, 100, 100, 100};
  limits.niceness = 19;
  limits.prompt_every = seconds(1);
  FairPool pool(limits, clock);
  const auto niceness_of_prompt = [&pool](const std::string& caller) {
    std::promise<int> ran;
    EXPECT_TRUE(pool.submit(caller, [&] { ran.set_value(::getpriority(PRIO_PROCESS, 0)); }));
    return ran.get_future().get();
  };
  for (const char* caller : {"b1", "b2"}) pool.note_known(caller, "b");
  pool.note_known("c", "c");
  ASSERT_TRUE(pool.submit("stranger", [&] {
    begun.set_value();
    open.get_future().wait();
  }));
  begun.get_future().wait();  // it holds the only thread of those that stand behind
  EXPECT_EQ(niceness_of_prompt("b1"), ::getpriority(PRIO_PROCESS, 0));
  ASSERT_TRUE(pool.submit("b2", [&] { ++behind; }));
  pool.note_known("b1", "b");
  ASSERT_TRUE(pool.submit("b1", [&] { ++behind; }));
  ASSERT_TRUE(pool.submit("stranger", [&] { ++behind; }));
  niceness_of_prompt("c");
  EXPECT_EQ(behind, 0) << "another owner's goes before them";
  clock.advance(seconds(1));
  niceness_of_prompt("b2");
  EXPECT_EQ(behind, 0);
  open.set_value();
}

// Each log-in of another owner made the one before forgotten, and with it when it was prompt.
TEST(FairPool, ACallerOfTwoOwnersIsPromptNoMoreOftenThanOfOne) {
  ManualClock clock{0};
  std::promise<void> open;
  std::promise<void> begun;
  std::atomic<int> behind = 0;
  FairPoolLimits limits{1, 100, 100, 100};
  limits.prompt_every = seconds(1);
  FairPool pool(limits, clock);
  const auto run_prompt = [&pool](const std::string& caller) {
    std::promise<void> ran;
    EXPECT_TRUE(pool.submit(caller, [&] { ran.set_value(); }));
    ran.get_future().get();
  };
  ASSERT_TRUE(pool.submit("stranger", [&] {
    begun.set_value();
    open.get_future().wait();
  }));
  begun.get_future().wait();  // it holds the only thread of those that are not prompt
  pool.note_known("x", "a");
  run_prompt("x");
  for (const char* owner : {"b", "a", "b", "a"}) {
    pool.note_known("x", owner);
    ASSERT_TRUE(pool.submit("x", [&] { ++behind; }));
  }
  pool.note_known("x", "b");
  pool.note_known("y", "a");
  ASSERT_TRUE(pool.submit("y", [&] { ++behind; }));
  pool.note_known("z", "c");
  run_prompt("z");
  EXPECT_EQ(behind, 0) << "whoever is prompt runs one after the other: z's was the next";
  clock.advance(seconds(1));
  run_prompt("y");
  run_prompt("x");
  EXPECT_EQ(behind, 0);
  open.set_value();
}

TEST(FairPool, CallersTakeTurnsAndKnownOnesDoNotWaitForAFlood) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> order;
  bool is_open = false;
  bool has_begun = false;
  const ManualClock clock{0};
  FairPool pool(FairPoolLimits{1, 8, 2, 100}, clock);
  const auto job = [&](std::string name) {
    return [&, name = std::move(name)] {
      std::unique_lock lock(mutex);
      has_begun = true;
      changed.notify_all();
      changed.wait(lock, [&] { return is_open; });
      order.push_back(name);
      changed.notify_all();
    };
  };
  pool.note_known("b", "b");
  ASSERT_TRUE(pool.submit("first", job("first")));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return has_begun; });  // it holds the only thread
  }
  for (int i = 0; i < 50; ++i) pool.submit("a" + std::to_string(i), job("a"));
  EXPECT_FALSE(pool.submit("another", job("another"))) << "strangers have as many as they may";
  EXPECT_TRUE(pool.submit("b", job("b")));
  EXPECT_TRUE(pool.submit("b", job("b")));
  EXPECT_FALSE(pool.submit("b", job("b"))) << "a caller's share";
  std::unique_lock lock(mutex);
  is_open = true;
  changed.notify_all();
  changed.wait(lock, [&] { return std::count(order.begin(), order.end(), "b") >= 2; });
  // Not how many have run by now: the strangers' go on while this thread wakes.
  const auto last_b = std::find(order.rbegin(), order.rend(), "b");
  EXPECT_LE(order.rend() - last_b, 5) << "known callers and strangers take turns";
}

// R-SEC-18, D23.
TEST(Address, ForbiddenFormsAreRefused) {
  const AddressPolicy strict;
  for (const auto* address : {"127.0.0.1:8080",
                              "127.1:8080",
                              "2130706433:80",
                              "0x7f000001:80",
                              "0x7f.1:80",
                              "017700000001:80",
                              "169.254.169.254:80",
                              "0.0.0.0:80",
                              "10.0.0.1:80",
                              "172.16.5.5:80",
                              "192.168.1.1:80",
                              "100.64.0.1:80",
                              "224.0.0.1:80",
                              "255.255.255.255:80",
                              "[::1]:80",
                              "[::]:80",
                              "[::ffff:127.0.0.1]:80",
                              "[::ffff:8.8.8.8]:80",
                              "[fe80::1]:80",
                              "[fd00::1]:80",
                              "[ff02::1]:80",
                              "[64:ff9b::7f00:1]:80",
                              "[2002:7f00:1::]:80",
                              "[::127.0.0.1]:80",
                              "192.0.2.1",
                              "192.0.2.1:0",
                              "192.0.2.1:70000",
                              "192.0.2.1:80x",
                              "user@host:80",
                              "ho st:80",
                              "hóst:80",
                              "a..b:80",
                              "localhost:80",
                              "host:80/path",
                              ":80",
                              ""}) {
    EXPECT_FALSE(resolve_checked(address, strict).has_value()) << address;
  }
}

TEST(Address, PublicOnesPassAndPoliciesWiden) {
  EXPECT_EQ(resolve_checked("8.8.8.8:8080", {}), "8.8.8.8:8080");
  EXPECT_EQ(resolve_checked("[2600::1]:8080", {}), "[2600::1]:8080");
  EXPECT_EQ(resolve_checked("10.1.2.3:8080", {false, true}), "10.1.2.3:8080");
  EXPECT_EQ(resolve_checked("127.0.0.11:8080", {true, false}), "127.0.0.11:8080");
  EXPECT_FALSE(resolve_checked("169.254.169.254:80", {true, true}).has_value());
  // The same service by IPv6, which lies among the private addresses.
  EXPECT_FALSE(resolve_checked("[fd00:ec2::254]:80", {true, true}).has_value());
  EXPECT_TRUE(resolve_checked("[fd00::1]:80", {true, true}).has_value());
}

// R-SEC-18.
TEST(Address, UrlsAreCheckedByTheirHost) {
  EXPECT_TRUE(check_url("https://8.8.8.8/hook?x=1", {}).has_value());
  EXPECT_TRUE(check_url("http://8.8.8.8:8080", {}).has_value());
  for (const auto* url : {"http://127.0.0.1/", "https://[::1]/", "file:///etc/passwd",
                          "gopher://8.8.8.8/", "http://8.8.8.8@127.0.0.1/", "http://10.0.0.1?x",
                          "http:///x", "https://169.254.169.254#@8.8.8.8/"}) {
    EXPECT_FALSE(check_url(url, {}).has_value()) << url;
  }
}

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
    ASSERT_TRUE((*database_).write([&](store::Connection& c) {
      EXPECT_TRUE(
          *store::insert_customer(store::Customer{customer_, "A", true, "hot-0", {}, 1, 1}, c));
      return store::insert_user(store::User{"u1", customer_, "ana", hash, true, 1, 0}, c);
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
  PasswordHasher hasher_;
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

// R-WEB-1.
TEST_F(LogIn, EveryReasonGetsTheSameAnswer) {
  const auto wrong = authenticator_.log_in("ana", "wrong", head_);
  const auto unknown = authenticator_.log_in("nobody", "wrong", head_);
  ASSERT_FALSE(wrong.has_value());
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(wrong.error().code, unknown.error().code);
  EXPECT_EQ(wrong.error().message, unknown.error().message);
  ASSERT_TRUE((*database_).write([&](store::Connection& c) {
    return store::change_customer(customer_, {.is_enabled = false}, c);
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
  ASSERT_TRUE((*database_).write([&](store::Connection& c) {
    return store::change_user(customer_, "u1", {.is_enabled = false}, c);
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
    ASSERT_TRUE((*database_).write([&](store::Connection& c) { return c.execute(sql, values); }));
  }
  store::User user() {
    return **(*database_).read([&](store::Connection& c) {
      return store::find_user(customer_, "u1", c);
    });
  }
  std::size_t sessions() {
    return (*database_)
        .read([](store::Connection& c) { return store::list_sessions("u1", c); })
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
  EXPECT_FALSE(PasswordHasher::is_outdated(user().password_hash));
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
}  // namespace vigia::monitor::access
