#include "services/monitor/store/driver_failures.hpp"

#include <gtest/gtest.h>

#include "services/monitor/store/testing/scratch_database.hpp"

namespace vigia::monitor::store {
namespace {

TEST(DriverFailures, CallersReadPlainWordsAndTheCodeStays) {
  const ManualClock clock(1);
  DriverFailures failures(clock);
  struct Case {
    ErrorCode code;
    const char* said;
    const char* told;
  };
  for (const auto& one : {Case{ErrorCode::kUnavailable,
                               "database: database or disk is full while executing \"COMMIT\"",
                               "the database has no room left"},
                          Case{ErrorCode::kUnavailable, "database: database is locked",
                               "the database is busy or away"},
                          Case{ErrorCode::kInternal, "database: no such column: x in SELECT x",
                               "the database failed"}}) {
    const Error told = failures.take(Error{one.code, one.said});
    EXPECT_EQ(told.code, one.code);
    EXPECT_TRUE(told.message.starts_with(one.told)) << told.message;
    EXPECT_EQ(told.message.find("SELECT"), std::string::npos);
  }
  EXPECT_EQ(failures.count(), 3U);
}

TEST(DriverFailures, WhatIsNoFailureOfTheDriverIsNeitherCountedNorChanged) {
  const ManualClock clock(1);
  DriverFailures failures(clock);
  EXPECT_EQ(failures.take(Error{ErrorCode::kInvalid, "name: is missing"}).message,
            "name: is missing");
  EXPECT_EQ(failures.count(), 0U);
}

// As a full disk looks to SQLite: it may take no page more.
TEST(DriverFailures, AFullDatabaseIsReadChangesNothingAndIsCounted) {
  ScratchDatabase database;
  const auto fill = [&](bool is_full) {
    return (*database).write([&](DatabaseConnection& connection) -> Result<void> {
      if (is_full) {
        auto limited = connection.query("PRAGMA max_page_count=1", {});  // no fewer than it has
        if (!limited) return forward(limited);
      }
      auto made = connection.execute("CREATE TABLE t (x TEXT)", {});
      if (!made) return forward(made);
      auto put = connection.execute("INSERT INTO t VALUES (:a)", {std::string(1 << 20, 'x')});
      if (!put) return forward(put);
      return {};
    });
  };
  const auto refused = fill(true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(refused.error().message.starts_with("the database has no room left"))
      << refused.error().message;
  EXPECT_EQ((*database).driver_failures(), 1U);
  const auto rows = (*database).read([](DatabaseConnection& connection) {
    return connection.query("SELECT name FROM sqlite_master WHERE name = 't'", {});
  });
  ASSERT_TRUE(rows.has_value());
  EXPECT_TRUE(rows->empty());
}

}  // namespace
}  // namespace vigia::monitor::store
