#include "services/monitor/maintenance.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "libs/json/strict_reader.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/internal_port/snapshot.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/sqlite_file.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kNow = 1'795'575'845'123;

class Maintenance : public ::testing::Test {
 protected:
  Maintenance() { settings_.store.url = database_.url(); }
  void add(const std::string& id, char hash) {
    auto done = (*database_).write([&](store::DatabaseConnection& c) -> Result<void> {
      const auto customer = *CustomerId::parse(id);
      auto inserted =
          customers::insert_customer(customers::CustomerRow{customer, id, true, "hot-0", {}}, c);
      if (!inserted) return forward(inserted);
      tokens::TokenRow token;
      token.id = id;
      token.customer = customer;
      token.scope = "ingest";
      token.token_sha256 = std::string(64, hash);
      return tokens::insert_token(token, c);
    });
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  void serve() {
    service::MetricRegistry metrics;
    internal_port::Snapshot snapshot(*database_, std::string(64, 'f'), clock_, metrics);
    ASSERT_TRUE(snapshot.start().has_value());
    served_ = snapshot.current();
  }
  std::vector<std::string> live_hashes() {
    std::vector<std::string> hashes;
    const auto tokens =
        (*database_).read([](store::DatabaseConnection& c) { return tokens::list_live_tokens(c); });
    EXPECT_TRUE(tokens.has_value());
    for (const tokens::TokenRow& token : *tokens) hashes.push_back(token.token_sha256.substr(0, 1));
    return hashes;
  }

  SystemClock clock_;
  store::ScratchDatabase database_;
  Settings settings_;
  std::string served_;
};

// The copy is older than a revocation and than two customers: neither may come back or be lost.
TEST_F(Maintenance, RestoreBringsBackWhatWasServedLast) {
  add("a", 'a');
  add("b", 'b');
  const std::string backups = (database_.folder() / "m.db.state/backups").string();
  const auto copy = store::back_up_sqlite((database_.folder() / "m.db").string(), backups, 9);
  ASSERT_TRUE(copy.has_value()) << copy.error().message;
  add("c", 'c');
  ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) {
    return tokens::revoke_token(CustomerId::parse("a").value(), "a", kNow, c);
  }));
  serve();
  database_.close();
  fs::resize_file(database_.folder() / "m.db", 5000);
  const auto done = restore_database(settings_, *copy, kNow);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_NE(done->find("1 customers and 1 tokens added, 1 tokens revoked again"), std::string::npos)
      << *done;
  database_.reopen();
  EXPECT_EQ((*database_).doubt(), "");
  EXPECT_EQ(live_hashes(), (std::vector<std::string>{"b", "c"}));
  const auto audit = (*database_).read([](store::DatabaseConnection& c) {
    return store::list_audit(std::nullopt, 0, 10, c);
  });
  EXPECT_EQ(audit->front().action, "database.restore");
  const std::string before = served_;
  serve();
  EXPECT_EQ((*database_).doubt(), "") << "a person's confirmation ends the doubt";
  const auto mark = [](const std::string& document) {
    return (*json::parse_json(document))["revision"].integer().value_or(0);
  };
  EXPECT_GT(mark(served_), mark(before));
}

TEST_F(Maintenance, AcceptTakesAnOlderDatabaseAsItIs) {
  add("a", 'a');
  serve();
  database_.close();
  fs::copy_file(database_.folder() / "m.db", database_.folder() / "before.db");
  database_.reopen();
  add("b", 'b');
  serve();
  database_.close();
  fs::copy_file(database_.folder() / "before.db", database_.folder() / "m.db",
                fs::copy_options::overwrite_existing);
  database_.reopen();
  ASSERT_NE((*database_).doubt(), "");
  database_.close();
  const auto done = accept_database(settings_, kNow);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_TRUE(done->starts_with("The database " + (database_.folder() / "m.db").string() + " is "))
      << *done;
  database_.reopen();
  EXPECT_EQ((*database_).doubt(), "");
  serve();
  EXPECT_EQ((*database_).doubt(), "");
  EXPECT_EQ((*json::parse_json(served_))["customers"].items().size(), 1U);
}

TEST_F(Maintenance, ACopyThatIsNotThereIsToldWithThePlaceOfThose) {
  add("a", 'a');
  database_.close();
  const auto done = restore_database(settings_, "/nope", kNow);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().message, "/nope: no such copy; they are in " +
                                      (database_.folder() / "m.db.state/backups").string());
}

TEST_F(Maintenance, ADamagedDatabaseIsNotAcceptedAndARunningOneNotTouched) {
  add("a", 'a');
  EXPECT_FALSE(restore_database(settings_, "", kNow).has_value()) << "the monitor runs";
  EXPECT_FALSE(accept_database(settings_, kNow).has_value()) << "the monitor runs";
  database_.close();
  fs::resize_file(database_.folder() / "m.db", 5000);
  const auto accepted = accept_database(settings_, kNow);
  ASSERT_FALSE(accepted.has_value());
  EXPECT_NE(accepted.error().message.find("restore"), std::string::npos);
}

}  // namespace
}  // namespace vigia::monitor
