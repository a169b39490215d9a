#include "services/monitor/internal_port/snapshot.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/json/strict_reader.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor::internal_port {
namespace {

namespace fs = std::filesystem;

class Served : public ::testing::Test {
 protected:
  Served() { renew(); }
  void renew() {
    metrics_ = std::make_unique<service::MetricRegistry>();
    snapshot_.reset();
    snapshot_ = std::make_unique<Snapshot>(*database_, std::string(64, 'f'), clock_, *metrics_);
    EXPECT_TRUE(snapshot_->start().has_value());
  }
  /// The program ends, something happens to the files, it starts again.
  template <typename Function>
  void restart(Function meanwhile) {
    snapshot_.reset();
    database_.close();
    meanwhile();
    database_.reopen();
    renew();
  }
  void run(const std::string& sql) {
    auto done =
        (*database_).write([&](store::DatabaseConnection& c) { return c.execute(sql, {}); });
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  void add(const std::string& id) {
    auto done = (*database_).write([&](store::DatabaseConnection& c) {
      return customers::insert_customer(
          customers::CustomerRow{*CustomerId::parse(id), id, true, "hot-0", {}}, c);
    });
    ASSERT_TRUE(done.has_value());
    ASSERT_TRUE(snapshot_->refresh().has_value());
  }
  std::size_t customers() const {
    return (*json::parse_json(snapshot_->current()))["customers"].items().size();
  }
  fs::path state() const { return database_.folder() / "m.db.state"; }

  SystemClock clock_;
  store::ScratchDatabase database_;
  std::unique_ptr<service::MetricRegistry> metrics_;
  std::unique_ptr<Snapshot> snapshot_;
};

// Such a row was left by a later version, or by hand.
TEST_F(Served, ATokenOfAnUnknownScopeOpensNothing) {
  add("a");
  char digit = '0';
  for (const char* scope : {"ingest", "read", "admin", ""}) {
    auto done = (*database_).write([&](store::DatabaseConnection& c) {
      const std::string hash(64, ++digit);
      return tokens::insert_token(
          {hash.substr(0, 8), CustomerId::parse("a").value(), "n", scope, hash, "root"}, c);
    });
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  ASSERT_TRUE(snapshot_->refresh().has_value());
  const auto document = *json::parse_json(snapshot_->current());
  std::vector<std::string> scopes;
  for (const auto& token : document["customers"].items().at(0)["tokens"].items())
    scopes.push_back(token["scope"].text().value_or(""));
  EXPECT_THAT(scopes, ::testing::UnorderedElementsAre("ingest", "read"));
}

// Nobody else's change waits for it, and what it sends is not refused.
TEST_F(Served, ACustomerWhoseRowCannotBeReadStaysAsItWas) {
  add("a");
  add("b");
  const auto add_token = [&](char digit) {
    auto done = (*database_).write([&](store::DatabaseConnection& c) {
      const std::string hash(64, digit);
      return tokens::insert_token(
          {hash.substr(0, 8), CustomerId::parse("b").value(), "n", "ingest", hash, "root"}, c);
    });
    ASSERT_TRUE(done.has_value()) << done.error().message;
  };
  add_token('1');
  add_token('2');
  ASSERT_TRUE(snapshot_->refresh().has_value());
  run("UPDATE customers SET id = 'No Good' WHERE id = 'b'");
  run("UPDATE tokens SET revoked_ms = 1 WHERE id = '22222222'");
  add_token('3');
  add("c");
  EXPECT_EQ((*database_).doubt(), "");
  EXPECT_EQ((*database_).unreadable_rows(), 1U);
  const auto document = *json::parse_json(snapshot_->current());
  const auto& told = document["customers"].items();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0]["id"].text(), "a");
  EXPECT_EQ(told[1]["id"].text(), "b");
  EXPECT_EQ(told[2]["id"].text(), "c");
  // Whether it was disabled meanwhile nobody knows: what is new opens nothing.
  ASSERT_EQ(told[1]["tokens"].items().size(), 1U);
  EXPECT_EQ(told[1]["tokens"].items()[0]["token_sha256"].text(), std::string(64, '1'));

  run("UPDATE customers SET id = 'b' WHERE id = 'No Good'");
  ASSERT_TRUE(snapshot_->refresh().has_value());
  EXPECT_EQ(
      (*json::parse_json(snapshot_->current()))["customers"].items()[1]["tokens"].items().size(),
      2U);
}

TEST_F(Served, AnOlderDatabaseIsNotServedTheKeptSnapshotIsF2) {
  add("a");
  const fs::path before = database_.folder() / "before.db";
  restart([&] { fs::copy_file(database_.folder() / "m.db", before); });
  add("b");
  add("c");
  EXPECT_EQ(customers(), 3U);
  restart([&] {
    fs::copy_file(before, database_.folder() / "m.db", fs::copy_options::overwrite_existing);
  });
  EXPECT_NE((*database_).doubt(), "");
  EXPECT_EQ(customers(), 3U);
  // The anchor's loss does not hide it: the kept snapshot is ahead of the database as well.
  restart([&] { fs::remove(state() / "anchor"); });
  EXPECT_NE((*database_).doubt(), "");
  EXPECT_EQ(customers(), 3U);
}

TEST_F(Served, AnEmptyDatabaseInItsPlaceServesTheKeptSnapshotF2) {
  add("a");
  restart([&] { fs::remove(database_.folder() / "m.db"); });
  EXPECT_NE((*database_).doubt(), "");
  EXPECT_EQ(customers(), 1U);
}

TEST_F(Served, AContentThatNobodyChangedIsDoubted) {
  add("a");
  add("b");
  snapshot_.reset();
  renew();
  EXPECT_EQ((*database_).doubt(), "");
  // As a flipped bit does it: no trigger sees it.
  run("DROP TRIGGER customers_update_counts");
  run("UPDATE customers SET id = 'c' WHERE id = 'b'");
  ASSERT_TRUE(snapshot_->refresh().has_value());
  EXPECT_NE((*database_).doubt().find("same revision"), std::string::npos) << (*database_).doubt();
  EXPECT_NE(snapshot_->current().find(R"("id":"b")"), std::string::npos);
  EXPECT_EQ(snapshot_->current().find(R"("id":"c")"), std::string::npos);
}

TEST_F(Served, ACustomerThatIsRemovedIsGoneAtOnceOneThatVanishesIsNot) {
  for (const char* id : {"a", "b", "c"}) add(id);
  run("DELETE FROM customers WHERE id = 'a'");
  ASSERT_TRUE(snapshot_->refresh().has_value());
  EXPECT_EQ((*database_).doubt(), "");
  EXPECT_EQ(customers(), 2U);
  run("DROP TRIGGER customers_delete_counts");
  run("DELETE FROM customers WHERE id = 'b'");
  add("d");
  EXPECT_NE((*database_).doubt().find("1 customers are missing"), std::string::npos)
      << (*database_).doubt();
  EXPECT_EQ(customers(), 2U);
}

TEST_F(Served, ADamagedKeptSnapshotDoesNotStopASoundDatabase) {
  add("a");
  restart([&] { fs::resize_file(state() / "snapshot.json", 40); });
  EXPECT_EQ((*database_).doubt(), "");
  EXPECT_EQ(customers(), 1U);
}

}  // namespace
}  // namespace vigia::monitor::internal_port
