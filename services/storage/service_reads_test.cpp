// What the whole service gives to whom and when, over the network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ServiceReadsTest : public ServiceFixture {};

// C46: it lies there until its whole day goes.
TEST_F(ServiceReadsTest, WhatIsPastItsRetentionIsNotRead) {
  settings_.retention.raw = std::chrono::hours(24);
  service_.reset();
  {
    const SystemClock clock;
    retention::RetentionGuard guard(settings_.store.rocksdb.directory + "/vigia-retention",
                                    std::chrono::hours(24), clock);
    ASSERT_FALSE(guard.now(now_).has_value());
    ASSERT_TRUE(guard.confirm());
    ASSERT_TRUE(guard.now(now_).has_value());
  }
  start();
  const TimestampMs over = now_ - 30LL * 3'600'000;
  EXPECT_EQ(write(series("over", "cliente-a", {{over, 1}}), "cliente-a").status, 204);
  EXPECT_EQ(write(series("kept", "cliente-a", {{now_, 1}}), "cliente-a").status, 204);
  EXPECT_THAT(read({{MatchType::kNotEqual, "node_id", ""}}, "cliente-a"),
              AllOf(HasSubstr("kept"), Not(HasSubstr("over"))));
}

}  // namespace
}  // namespace vigia::storage
