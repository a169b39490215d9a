// A customer who is taken out of a keyspace: of every table that there is, and nobody else.
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/cassandra/customer_removal.hpp"
#include "services/storage/store/cassandra/customer_tables.hpp"
#include "services/storage/store/cassandra/instance_lease.hpp"
#include "services/storage/store/cassandra/testing/contract_stores.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;
using vigia::cassandra::RowReader;

constexpr auto kDeadline = std::chrono::seconds(20);
constexpr std::uint64_t kIdentity = 5 * 4 * InstanceLease::kNumbers;  // number 5 * kNumbers
constexpr std::int64_t kOwn = 5 * 4096;
constexpr std::int64_t kOther = 9 * 4096;

/// A column of a table, as the keyspace has it.
struct Column {
  std::string name;
  std::string type;
};

class RemovalTest : public ::testing::Test {
 protected:
  Page ask(const std::string& cql, const BoundCells& cells = {}) {
    const auto statement = shared_.session->prepare({cql});
    EXPECT_TRUE(statement.has_value()) << cql << ": " << statement.error().message;
    auto page = shared_.session->fetch({**statement, cells, "", kDeadline});
    EXPECT_TRUE(page.has_value()) << cql << ": " << page.error().message;
    return std::move(page).value();
  }
  std::string table(const std::string& name) { return shared_.settings.keyspace + "." + name; }

  std::vector<Column> columns_of(const std::string& name) {
    BoundCells cells;
    cells.add_text(shared_.settings.keyspace).add_text(name);
    const Page page =
        ask("SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = ? AND "
            "table_name = ?",
            cells);
    std::vector<Column> columns;
    for (std::size_t i = 0; i < page.rows(); ++i) {
      RowReader row = page.row(i);
      std::string column(row.read_text());
      columns.push_back({std::move(column), std::string(row.read_text())});
    }
    return columns;
  }
  // A row with something in every column.
  void insert(const CustomerTable& into, const CustomerId& customer, std::int8_t value,
              std::int64_t time) {
    const std::vector<Column> columns = columns_of(into.name);
    std::vector<std::string> names;
    BoundCells cells;
    for (const Column& column : columns) {
      names.push_back(column.name);
      if (column.name == "customer_id") {
        cells.add_text(customer.text());
      } else if (column.type == "tinyint") {
        cells.add_tinyint(value);
      } else if (column.type == "int") {
        cells.add_int(value);
      } else if (column.type == "bigint") {
        cells.add_bigint(column.name == "instance" ? kOther : value);
      } else {
        cells.add_blob(column.name);
      }
    }
    const std::vector<std::string> places(names.size(), "?");
    ask(fmt::format("INSERT INTO {} ({}) VALUES ({}) {}", table(into.name), fmt::join(names, ", "),
                    fmt::join(places, ", "),
                    into.timed_by.empty() ? "" : fmt::format("USING TIMESTAMP {}", time)),
        cells);
  }
  std::vector<CustomerTable> tables() {
    return customer_tables(*shared_.session, shared_.settings.keyspace).value();
  }
  std::unique_ptr<instance::SharedRemoval> removal() {
    CassandraSettings settings;
    settings.schema = shared_.settings;
    settings.lease = std::chrono::seconds(3);
    return removal_in(*shared_.session, settings, a_).value();
  }
  static Result<instance::SharedProof> remove(instance::SharedRemoval& removal) {
    EXPECT_TRUE(removal.expect_alone(quietly_).has_value());
    EXPECT_TRUE(removal.others_open(kIdentity).has_value());
    EXPECT_TRUE(removal.remove(quietly_).has_value());
    return removal.prove(quietly_);
  }
  void note_instance(std::int64_t number, std::int64_t beat) {
    BoundCells cells;
    cells.add_bigint(number).add_bigint(beat);
    ask("INSERT INTO " + table("instances") + " (instance, beat, taken_by) VALUES (?, ?, 0)",
        cells);
  }
  // An instance that knows nothing yet, on a day.
  std::unique_ptr<CassandraColdStore> started(std::uint32_t day) {
    clock_ = std::make_unique<ManualClock>(day * kDayMs * 1'000'000);
    return CassandraColdStore::open(*shared_.session, OnCassandra::settings_of(shared_), *clock_)
        .value();
  }
  void resolve(std::uint32_t day) {
    const auto store = started(day);
    const Labels labels = Labels::from({{"__name__", "m"}, {"pod", "p"}});
    const std::uint64_t seed = store->catalog().seed_of(a_).value();
    std::vector<NewSeries> series = {
        {labels, hash_labels(seed, to_string(labels)), {day, day}, {}, false}};
    EXPECT_TRUE(store->catalog().resolve(a_, series).has_value());
  }
  std::size_t found_on(std::uint32_t day) {
    const auto store = started(day);
    const LabelMatchers none;
    const WorkLimit unlimited;
    const SeriesQuery query{none, {day, day}};
    return store->catalog().select(a_, query, unlimited)->next().value().size();
  }
  instance::RowsByTable count() { return removal()->count(quietly_).value(); }

  static constexpr auto quietly_ = [](const std::string&) {};
  SharedKeyspace& shared_ = empty_keyspace();
  std::unique_ptr<ManualClock> clock_;
  // Of each test another: deletions lie in the nodes' files, and hide what has an earlier write
  // time.
  const CustomerId a_ = CustomerId::parse(fmt::format("gone-{:x}", random_u64())).value();
  const CustomerId b_ = CustomerId::parse("cliente-b").value();
};

TEST_F(RemovalTest, EveryTableOfCustomersIsKnownAndNoOther) {
  std::vector<std::string> names;
  for (const CustomerTable& table : tables()) names.push_back(table.name);
  for (const char* const name : {"series", "chunks_90d", "rollups_kept", "spans", "log_rows",
                                 "head_rows", "exemplars", "metric_metadata", "due_days"}) {
    EXPECT_THAT(names, Contains(name));
  }
  for (const char* const name : {"series_claims", "instances", "secrets", "schema_versions"}) {
    EXPECT_THAT(names, ::testing::Not(Contains(name)));
  }
}

// Rows of every table that there is, also of those that come later: two of him, one of another.
TEST_F(RemovalTest, ACustomerGoesFromEveryTableAndTheOtherKeepsAll) {
  std::set<std::string> names;
  for (const CustomerTable& table : tables()) {
    names.insert(table.name);
    insert(table, a_, 1, 20'001);
    insert(table, a_, 2, 20'002);
    insert(table, b_, 1, 20'001);
  }
  const auto before = count();
  EXPECT_EQ(before.size(), names.size());
  const auto removal = this->removal();
  const auto proof = remove(*removal);
  ASSERT_TRUE(proof.has_value()) << proof.error().message;
  EXPECT_EQ(proof->tables, names.size());
  EXPECT_EQ(proof->rows, names.size());
  EXPECT_THAT(proof->left, ElementsAre(HasSubstr(std::to_string(kOther))));
  EXPECT_THAT(count(), IsEmpty());
  for (const CustomerTable& one : tables()) {
    EXPECT_EQ(ask("SELECT * FROM " + table(one.name)).rows(), 1U) << one.name;
  }
  // Again, as after a kill: nothing is there, nobody is named.
  const auto again = remove(*this->removal());
  ASSERT_TRUE(again.has_value());
  EXPECT_THAT(again->left, IsEmpty());
}

// What is written on a later day lies under no deletion, whatever its write time is.
TEST_F(RemovalTest, WhoComesAgainIsThereFromTheNextDayOn) {
  for (const CustomerTable& table : tables()) insert(table, a_, 1, 20'001);
  ASSERT_TRUE(remove(*removal()).has_value());
  std::uint64_t rows = 0;
  for (const CustomerTable& table : tables()) insert(table, a_, 1, 20'002), ++rows;
  EXPECT_THAT(count(), SizeIs(rows));
}

// As the catalog writes it: the first day has a time of its own, above all others.
TEST_F(RemovalTest, ASeriesThatComesAgainIsFoundWithItsLabels) {
  constexpr std::uint32_t kDay = 20'000;
  resolve(kDay);
  EXPECT_EQ(count().at("series"), 1U);
  EXPECT_EQ(found_on(kDay), 1U);
  ASSERT_TRUE(remove(*removal()).has_value());
  EXPECT_THAT(count(), IsEmpty());
  EXPECT_EQ(found_on(kDay), 0U);
  resolve(kDay + 2);
  EXPECT_EQ(found_on(kDay + 2), 1U);
}

TEST_F(RemovalTest, NobodyIsTakenOutWhileAnInstanceLives) {
  note_instance(kOther, 1);
  const auto removal = this->removal();
  std::int64_t beat = 1;
  const auto alone =
      removal->expect_alone([&](const std::string&) { note_instance(kOther, ++beat); });
  ASSERT_FALSE(alone.has_value());
  EXPECT_EQ(alone.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(alone.error().message, HasSubstr(std::to_string(kOther)));
}

// A row that stands still is of one that is gone; one that comes meanwhile may have written.
TEST_F(RemovalTest, AnInstanceThatStartsMeanwhileIsNamed) {
  note_instance(kOwn, 1);
  note_instance(kOther, 1);
  const auto removal = this->removal();
  ASSERT_TRUE(removal->expect_alone(quietly_).has_value());
  EXPECT_THAT(removal->prove(quietly_)->left, IsEmpty());
  note_instance(kOther + 4096, 1);
  EXPECT_THAT(removal->prove(quietly_)->left, ElementsAre(HasSubstr("was started meanwhile")));
}

TEST_F(RemovalTest, AKeyspaceThatIsNotThereIsToldAsSuch) {
  const auto none = customer_tables(*shared_.session, "no_such_keyspace");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
