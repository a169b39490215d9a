#include "services/router/stores/asked_shard.hpp"

#include <optional>

#include <gtest/gtest.h>

#include "services/router/testing/scripted_store.hpp"

namespace vigia::router::stores {
namespace {

using Answer = Result<wire::prometheus_api::Envelope>;

/// Asks a pair, with what each of the two answers, and gives what came: the data, or the error.
class AskedShardTest : public ::testing::Test {
 protected:
  static Answer error(ErrorCode code) { return fail(code, "no answer"); }

  std::string asked(Answer first, Answer second, upstream::Lane lane = upstream::Lane::kLookUp) {
    const testing::ScriptedStore* stores[] = {&a_, &b_};
    a_.always(std::move(first));
    b_.always(std::move(second));
    const AskedShard shard("hot-0", [stores](const std::optional<CustomerId>&) {
      return std::vector<const upstream::AskedStore*>{stores[0], stores[1]};
    });
    upstream::Ask ask(std::nullopt, "/api/v1/labels");
    ask.lane = lane;
    std::string came;
    shard.ask(std::move(ask), [&came](const Answer& answer) {
      came = answer ? std::string(answer->data()) : answer.error().message;
    });
    return came;
  }

  testing::ScriptedStore a_;
  testing::ScriptedStore b_;
};

TEST_F(AskedShardTest, TheFirstThatAnswersIsEnough) {
  EXPECT_EQ(asked(testing::data_of("1"), testing::data_of("2")), "1");
  EXPECT_TRUE(b_.asks().empty());
}

TEST_F(AskedShardTest, WhoIsAwayOrFaultyIsAnsweredForByTheOther) {
  EXPECT_EQ(asked(error(ErrorCode::kUnavailable), testing::data_of("2")), "2");
  EXPECT_EQ(asked(error(ErrorCode::kCorrupt), testing::data_of("2")), "2");
  ASSERT_EQ(b_.asks().size(), 2U);
  EXPECT_EQ(b_.asks().front().path, "/api/v1/labels");
  EXPECT_EQ(asked(error(ErrorCode::kUnavailable), error(ErrorCode::kUnavailable)), "no answer");
}

TEST_F(AskedShardTest, WhatNoStoreWouldDoBetterIsNotAskedAgain) {
  for (const auto code :
       {ErrorCode::kDeadline, ErrorCode::kTooLarge, ErrorCode::kInvalid, ErrorCode::kOverLimit}) {
    EXPECT_EQ(asked(error(code), testing::data_of("2")), "no answer");
  }
  EXPECT_TRUE(b_.asks().empty());
}

TEST_F(AskedShardTest, WhatAMemberMayNotHaveSurvivedIsNotAskedOfTheOther) {
  EXPECT_EQ(asked(error(ErrorCode::kInternal), testing::data_of("2")), "no answer");
  EXPECT_TRUE(b_.asks().empty());
  EXPECT_EQ(asked(error(ErrorCode::kInternal), testing::data_of("2"), upstream::Lane::kUsual), "2")
      << "what costs little";
}

TEST_F(AskedShardTest, WhoHasLeftIsAskedForNobody) {
  a_.always(error(ErrorCode::kUnavailable));
  b_.always(testing::data_of("2"));
  const AskedShard shard("hot-0", [this](const std::optional<CustomerId>&) {
    return std::vector<const upstream::AskedStore*>{&a_, &b_};
  });
  upstream::Ask ask(std::nullopt, "/api/v1/labels");
  ask.interest = std::make_shared<access::Interest>();
  ask.interest->lose();
  bool is_done = false;
  shard.ask(std::move(ask), [&is_done](const Answer& answer) { is_done = !answer; });
  EXPECT_TRUE(is_done);
  EXPECT_TRUE(b_.asks().empty());
}

}  // namespace
}  // namespace vigia::router::stores
