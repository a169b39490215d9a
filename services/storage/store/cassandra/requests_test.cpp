#include "services/storage/store/cassandra/requests.hpp"

#include <gtest/gtest.h>

#include "libs/cassandra/testing/scripted_driver.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::ScriptedDriver;
using vigia::cassandra::Session;
using vigia::cassandra::SessionLimits;
using vigia::cassandra::StatementSpec;

constexpr Duration kAfter = std::chrono::milliseconds(500);

SessionLimits limits() {
  SessionLimits limits;
  limits.speculative_after = kAfter;
  return limits;
}

class PreparationTest : public testing::Test {
 protected:
  StatementSpec last() const { return driver_.prepared().back(); }

  std::unique_ptr<ScriptedDriver> made_ = std::make_unique<ScriptedDriver>();
  const ScriptedDriver& driver_ = *made_;
  Session session_{std::move(made_), limits()};
  Preparation preparation_{session_, "observability"};
};

TEST_F(PreparationTest, ASecondNodeIsAskedForWhatIsRead) {
  preparation_.prepare("SELECT day FROM {}.kept_from");
  EXPECT_EQ(last().cql, "SELECT day FROM observability.kept_from");
  EXPECT_TRUE(last().is_idempotent);
  EXPECT_EQ(last().speculative_after, kAfter);
}

TEST_F(PreparationTest, ASecondNodeIsGivenWhatHasATimeOfItsOwnOrIsWrittenOnce) {
  preparation_.prepare("INSERT INTO {}.metrics (metric) VALUES (?) USING TIMESTAMP ?");
  EXPECT_EQ(last().speculative_after, kAfter);
  preparation_.prepare("DELETE FROM {}.metrics USING TIMESTAMP ? WHERE metric = ?");
  EXPECT_EQ(last().speculative_after, kAfter);
  preparation_.prepare_row("INSERT INTO {}.head_rows (body) VALUES (?)");
  EXPECT_TRUE(last().is_idempotent);
  EXPECT_EQ(last().speculative_after, kAfter);
}

// The node that hung would do it when it wakes, with the time of then.
TEST_F(PreparationTest, WhatMayReplaceSomethingNewerIsSentToOneNodeAtATime) {
  preparation_.prepare("INSERT INTO {}.metric_metadata (metric, help) VALUES (?, ?)");
  EXPECT_TRUE(last().is_idempotent);
  EXPECT_EQ(last().speculative_after, Duration());
  preparation_.prepare("DELETE FROM {}.event_slots WHERE customer_id = ? AND slot < ?");
  EXPECT_EQ(last().speculative_after, Duration());
}

TEST_F(PreparationTest, ALightWeightTransactionIsSentOnce) {
  preparation_.prepare_once("INSERT INTO {}.secrets (secret) VALUES (?) IF NOT EXISTS");
  EXPECT_FALSE(last().is_idempotent);
  EXPECT_EQ(last().speculative_after, Duration());
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
