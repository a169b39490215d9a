#include "services/monitor/sessions/session_notes.hpp"

#include <gtest/gtest.h>

#include "services/monitor/sessions/limits.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"

namespace vigia::monitor::sessions {
namespace {

using std::chrono::minutes;

class Refused : public ::testing::Test {
 protected:
  std::vector<store::AuditEntry> entries() {
    return *(*database_).read([](store::DatabaseConnection& connection) {
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
  EXPECT_FALSE((*database_)
                   .read([](store::DatabaseConnection& connection) {
                     return store::verify_audit(connection);
                   })
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

}  // namespace
}  // namespace vigia::monitor::sessions
