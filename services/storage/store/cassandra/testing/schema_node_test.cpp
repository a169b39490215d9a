// The schema on a real cluster: VIGIA_CASSANDRA names a node of it, of one that may be filled with
// keyspaces (tests/integration/test_cassandra.py starts it).
#include <future>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/cassandra/retention_class.hpp"
#include "services/storage/store/cassandra/schema.hpp"
#include "services/storage/store/cassandra/testing/node_fixture.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using testing::HasSubstr;
using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;
using vigia::cassandra::Session;

constexpr Duration kDeadline = std::chrono::seconds(20);

/// The tests share a keyspace, since a step takes the node seconds; what they spoil they mend.
class SchemaOnANode : public testing::Test {
 protected:
  void SetUp() override {
    if (!session_) GTEST_SKIP() << "VIGIA_CASSANDRA names no node";
    static const std::string kShared = fresh_keyspace();
    settings_.keyspace = kShared;
    settings_.replication_factor = 1;
  }
  Result<void> migrated(Session& session, std::uint64_t instance = 1) {
    return migrate(session, settings_, instance, clock_);
  }
  /// `cql` has %s for the keyspace.
  Page ask(std::string cql, const BoundCells& cells = {}) {
    cql.replace(cql.find("%s"), 2, settings_.keyspace);
    const auto statement = session_->prepare({cql}).value();
    return session_->fetch({*statement, cells, "", kDeadline}).value();
  }
  std::size_t steps_done() { return ask("SELECT version FROM %s.schema_versions").rows(); }

  const SystemClock clock_;
  SchemaSettings settings_;
  std::unique_ptr<Session> session_ = connected();
};

TEST_F(SchemaOnANode, AFreshKeyspaceGetsEveryStepOnce) {
  ASSERT_TRUE(migrated(*session_));
  const auto steps = read_schema(schema_cql(), settings_).value().steps.size();
  EXPECT_EQ(steps_done(), steps);
  ASSERT_TRUE(migrated(*session_));
  EXPECT_EQ(steps_done(), steps);
  EXPECT_TRUE(check_start(*session_, settings_, 1));
}

TEST_F(SchemaOnANode, InstancesThatStartTogetherDoNotDisturbEachOther) {
  settings_.keyspace = fresh_keyspace();
  const auto other = connected();
  auto second = std::async(std::launch::async, [&] { return migrated(*other, 2).has_value(); });
  EXPECT_TRUE(migrated(*session_));
  EXPECT_TRUE(second.get());
  EXPECT_TRUE(check_start(*other, settings_, 2));
}

TEST_F(SchemaOnANode, AStartThatEndedBetweenTwoStatementsIsGoneOnWith) {
  ASSERT_TRUE(migrated(*session_));
  ask("DELETE FROM %s.schema_versions WHERE component = 'storage' AND version = 2");
  ASSERT_TRUE(session_->run("DROP TABLE " + settings_.keyspace + ".chunks_5y"));
  // Its holder has died: the row ends by itself, and the start waits for that.
  ask("INSERT INTO %s.schema_locks (component, holder) VALUES ('storage', 9) USING TTL 1");
  ASSERT_TRUE(migrated(*session_));
  EXPECT_EQ(steps_done(), read_schema(schema_cql(), settings_).value().steps.size());
  EXPECT_EQ(ask("SELECT data FROM %s.chunks_5y").rows(), 0U);
}

// Of a keyspace that got the index later: instances of the version before may have written a day
// on.
TEST_F(SchemaOnANode, EventsAreWholeFromTwoDaysBehindTheirStep) {
  ASSERT_TRUE(migrated(*session_));
  EXPECT_EQ(events_whole_from(*session_, settings_.keyspace, kSpanIndexStep).value(), 0U);
  ask("UPDATE %s.schema_versions SET applied_ms = 86400000 WHERE component = 'storage' AND version "
      "= 3");
  ask("UPDATE %s.schema_versions SET applied_ms = 1728000000000 WHERE component = 'storage' AND "
      "version = 5");
  EXPECT_EQ(events_whole_from(*session_, settings_.keyspace, kSpanIndexStep).value(), 20'002U);
}

TEST_F(SchemaOnANode, AStartThatEndedBeforeTheFirstStepIsGoneOnWith) {
  ASSERT_TRUE(migrated(*session_));
  ask("DELETE FROM %s.schema_versions WHERE component = 'storage' AND version = 3");
  ASSERT_TRUE(session_->run("DROP TABLE " + settings_.keyspace + ".schema_locks"));
  ASSERT_TRUE(session_->run("DROP TABLE " + settings_.keyspace + ".start_checks"));
  ASSERT_TRUE(migrated(*session_));
  EXPECT_TRUE(check_start(*session_, settings_, 1));
}

TEST_F(SchemaOnANode, ALockThatWasTakenThoughNoAnswerCameIsItsOwn) {
  ASSERT_TRUE(migrated(*session_));
  ask("DELETE FROM %s.schema_versions WHERE component = 'storage' AND version = 3");
  ask("INSERT INTO %s.schema_locks (component, holder) VALUES ('storage', 7) USING TTL 300");
  EXPECT_TRUE(migrated(*session_, 7));
  EXPECT_EQ(ask("SELECT holder FROM %s.schema_locks").rows(), 0U) << "it is given back";
}

TEST_F(SchemaOnANode, AKeyspaceOfANewerProgramOrOfAnotherStepIsRefused) {
  ASSERT_TRUE(migrated(*session_));
  ask("INSERT INTO %s.schema_versions (component, version, text_hash) VALUES ('storage', 99, '')");
  const auto newer = migrated(*session_);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(newer.error().message, HasSubstr("is of version 99"));
  ask("DELETE FROM %s.schema_versions WHERE component = 'storage' AND version = 99");
  const std::string where = " WHERE component = 'storage' AND version = 1";
  const Page right = ask("SELECT text_hash FROM %s.schema_versions" + where);
  ask("UPDATE %s.schema_versions SET text_hash = 'x'" + where);
  const auto changed = migrated(*session_);
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("another step 1"));
  BoundCells cells;
  cells.add_text(right.row(0).read_text());
  ask("UPDATE %s.schema_versions SET text_hash = ?" + where, cells);
  EXPECT_TRUE(migrated(*session_));
}

TEST_F(SchemaOnANode, CopiesThatAreNotThoseOfTheSettingsAreNamed) {
  ASSERT_TRUE(migrated(*session_));
  SchemaSettings three = settings_;
  three.replication_factor = 3;
  const auto checked = check_start(*session_, three, 1);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(checked.error().message, HasSubstr("has 1 copies in datacenter datacenter1"));
  three.datacenter = "elsewhere";
  EXPECT_THAT(check_start(*session_, three, 1).error().message, HasSubstr("has no copies"));
}

// C46: what is written ends by itself, later than its class and with a whole file.
TEST_F(SchemaOnANode, RowsEndWithTheirClass) {
  ASSERT_TRUE(migrated(*session_));
  const RetentionClass one = class_of("raw", std::chrono::hours(24 * 400)).value();
  const std::string table = fmt::format("%s.chunks_{}", one.name);
  ask("INSERT INTO " + table +
      " (customer_id, metric, resolution, period, shard, first_series, writer, version, data)"
      " VALUES ('cliente-a', 'up', 0, 20000, 0, 1, 1, 1, 0x00)");
  const Page page = ask("SELECT TTL(data) FROM " + table);
  ASSERT_EQ(page.rows(), 1U);
  const auto left = std::chrono::seconds(page.row(0).read_int());
  EXPECT_LE(left, one.time_to_live);
  EXPECT_GT(left, one.keep + std::chrono::hours(24));
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
