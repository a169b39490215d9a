// A database that lost its end, was damaged or was put back by somebody is recognised.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "services/monitor/customers/customers.hpp"
#include "services/monitor/store/history.hpp"
#include "services/monitor/store/schema.hpp"
#include "services/monitor/store/sqlite_file.hpp"
#include "services/monitor/store/testing/old_schema.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor::store {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Doubt : public ::testing::Test {
 protected:
  void add(const std::string& id) {
    auto done = (*database_).write([&](DatabaseConnection& c) {
      return customers::insert_customer(
          customers::CustomerRow{*CustomerId::parse(id), id, true, "hot-0", {}}, c);
    });
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  History history() {
    auto read = (*database_).read([](DatabaseConnection& c) { return read_history(c); });
    EXPECT_TRUE(read.has_value()) << read.error().message;
    return *read;
  }
  std::size_t customers() {
    auto list =
        (*database_).read([](DatabaseConnection& c) { return customers::list_customers(c); });
    EXPECT_TRUE(list.has_value());
    return list->size();
  }
  fs::path file() const { return database_.folder() / "m.db"; }
  /// As a kill -9 leaves them: nothing is closed. Files of before, by name.
  void take_files(const fs::path& to) const {
    fs::create_directories(to);
    for (const char* suffix : {"", "-wal"}) {
      fs::copy_file(file().string() + suffix, to / ("m.db" + std::string(suffix)),
                    fs::copy_options::overwrite_existing);
    }
  }
  void put_files(const fs::path& from) const {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      fs::remove(file().string() + suffix);
      const fs::path kept = from / ("m.db" + std::string(suffix));
      if (fs::exists(kept)) fs::copy_file(kept, file().string() + suffix);
    }
  }

  ScratchDatabase database_;
};

TEST_F(Doubt, EveryWriteIsInTheFileAndNotInTheJournalF2) {
  for (int i = 0; i < 20; ++i) {
    add("c" + std::to_string(i));
    EXPECT_EQ(fs::file_size(file().string() + "-wal"), 0U) << i;
  }
}

TEST_F(Doubt, HistoryCountsWhatChangesTheDirectory) {
  const History start = history();
  EXPECT_EQ(start.database.size(), 32U);
  add("a");
  const History added = history();
  EXPECT_EQ(added.revision, start.revision + 1);
  EXPECT_EQ(added.directory_revision, start.directory_revision + 1);
  ASSERT_TRUE((*database_).write([](DatabaseConnection& c) {
    return c.execute("DELETE FROM customers", {});
  }));
  const History removed = history();
  EXPECT_EQ(removed.customers_removed, 1);
  EXPECT_EQ(removed.directory_revision, added.directory_revision + 1);
  database_.reopen();
  EXPECT_EQ(history(), removed);
  EXPECT_EQ((*database_).doubt(), "");
}

TEST_F(Doubt, ADatabaseThatIsOlderThanWhatWasWrittenTakesNoWritesF2) {
  add("a");
  take_files(database_.folder() / "before");
  add("b");
  add("c");
  database_.close();
  put_files(database_.folder() / "before");
  database_.reopen();
  EXPECT_NE((*database_).doubt().find("the last 2 of"), std::string::npos) << (*database_).doubt();
  EXPECT_NE((*database_).doubt().find("vigia-monitor restore"), std::string::npos);
  EXPECT_EQ(customers(), 1U) << "it may be looked at";
  const auto refused = (*database_).write([](DatabaseConnection& c) {
    return c.execute("DELETE FROM customers", {});
  });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().message, (*database_).doubt());
  database_.reopen();
  EXPECT_NE((*database_).doubt(), "") << "a restart does not forget it";
}

TEST_F(Doubt, AnotherDatabaseInItsPlaceIsDoubted) {
  add("a");
  database_.close();
  fs::remove(file());
  database_.reopen();
  EXPECT_NE((*database_).doubt().find("not the one that was last used"), std::string::npos);
}

// A journal of which a bit flipped: SQLite takes what is before it and drops the rest in silence.
TEST_F(Doubt, AFlippedBitInTheJournalIsSeenF2) {
  const fs::path kept = database_.folder() / "kept";
  {
    // A reader keeps the journal from being emptied, as a long read does.
    auto outcome = (*database_).read([&](DatabaseConnection& c) -> Result<void> {
      auto begun = c.execute("BEGIN", {});
      if (!begun) return forward(begun);
      auto looked = c.query("SELECT id FROM customers", {});
      if (!looked) return forward(looked);
      add("a");
      add("b");
      take_files(kept);
      auto ended = c.execute("COMMIT", {});
      if (!ended) return forward(ended);
      return {};
    });
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  }
  const std::string journal = content(kept / "m.db-wal");
  ASSERT_GT(journal.size(), 4096U);
  database_.close();
  for (std::size_t at = 0; at < journal.size(); at += journal.size() / 40) {
    std::string damaged = journal;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    std::ofstream(kept / "m.db-wal", std::ios::binary) << damaged;
    put_files(kept);
    database_.reopen();
    const std::string doubt = (*database_).doubt();
    if (doubt.empty()) {
      EXPECT_EQ(customers(), 2U) << at;
    } else {
      EXPECT_NE(doubt.find("vigia-monitor restore"), std::string::npos) << doubt;
      EXPECT_TRUE(fs::exists(database_.folder() / "m.db.state/found/m.db-wal")) << at;
    }
    database_.close();
  }
}

TEST_F(Doubt, ADamagedPageIsSeenAndNothingIsReadOfItF2) {
  for (int i = 0; i < 50; ++i) add("customer-" + std::to_string(i));
  database_.close();
  const std::string good = content(file());
  std::string damaged = good;
  const std::size_t at = damaged.find("customer-33");
  ASSERT_NE(at, std::string::npos);
  damaged[at + 9] ^= 1;  // the table says "customer-23" twice, the index does not
  std::ofstream(file(), std::ios::binary) << damaged;
  database_.reopen();
  EXPECT_NE((*database_).doubt().find("is damaged"), std::string::npos) << (*database_).doubt();
  EXPECT_FALSE((*database_)
                   .read([](DatabaseConnection& c) { return customers::list_customers(c); })
                   .has_value());
  std::ofstream(file(), std::ios::binary) << std::string(good.size(), '\0');
  database_.reopen();
  EXPECT_NE((*database_).doubt(), "") << "no database at all";
}

TEST_F(Doubt, ACopyIsWholeAndTheOldestGo) {
  add("a");
  const std::string folder = (database_.folder() / "copies").string();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(back_up_sqlite(file().string(), folder, 3).has_value());
  const auto copies = list_backups(folder);
  ASSERT_EQ(copies.size(), 3U);
  EXPECT_EQ(copies.back().filename(), "monitor-000005.db");
  add("b");
  database_.close();
  ASSERT_TRUE(put_back_sqlite(copies.back().string(), file().string(),
                              (database_.folder() / "aside").string()));
  EXPECT_TRUE(fs::exists(database_.folder() / "aside/m.db"));
  database_.reopen();
  EXPECT_EQ(customers(), 1U);
  EXPECT_NE((*database_).doubt(), "") << "put back behind our back";
  database_.close();
  std::string bad = content(copies.front());
  bad.replace(0, 16, "no SQLite at all");
  std::ofstream(copies.front(), std::ios::binary) << bad;
  EXPECT_FALSE(put_back_sqlite(copies.front().string(), file().string(),
                               (database_.folder() / "aside").string()));
  EXPECT_TRUE(fs::exists(file())) << "a damaged copy replaces nothing";
}

TEST_F(Doubt, EveryOlderSchemaIsCopiedBeforeItIsChanged) {
  const auto backups = (database_.folder() / "m.db.state/backups").string();
  for (int version = 1; version < newest_schema_version(); ++version) {
    const auto put = (*database_).write([&](DatabaseConnection& c) -> Result<void> {
      return testing::put_old_schema(version, c);
    });
    ASSERT_TRUE(put.has_value()) << version << ": " << put.error().message;
    database_.close();
    fs::remove(database_.folder() / "m.db.state/anchor");  // of the database that stood here before
    fs::remove_all(backups);
    database_.reopen();
    EXPECT_EQ((*database_).doubt(), "") << version;
    EXPECT_FALSE(list_backups(backups).empty()) << version;
    EXPECT_EQ(customers(), 0U) << "and it can be read: " << version;
  }
}

}  // namespace
}  // namespace vigia::monitor::store
