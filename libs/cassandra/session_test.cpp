#include "libs/cassandra/session.hpp"

#include <atomic>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/cassandra/testing/scripted_driver.hpp"

namespace vigia::cassandra {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;

class CassandraSession : public testing::Test {
 protected:
  void open(std::size_t in_flight_max) {
    auto made = std::make_unique<ScriptedDriver>();
    driver_ = made.get();
    SessionLimits limits;
    limits.in_flight_max = in_flight_max;
    session_.emplace(std::move(made), limits);
    statement_ = *session_->prepare({"SELECT"});
  }
  Execution request(std::string_view owner, Duration deadline) {
    return {*statement_, cells_, owner, deadline};
  }
  /// Sends one that nobody has answered when it returns.
  void send_waiting(std::string_view owner) {
    session_->send(request(owner, hours(1)), [this](const Result<Page>&) { ++answered_; });
  }

  ScriptedDriver* driver_ = nullptr;
  std::unique_ptr<PreparedStatement> statement_;
  BoundCells cells_;
  std::atomic<int> answered_ = 0;
  std::optional<Session> session_;
};

TEST_F(CassandraSession, ReadsPageAfterPageUntilThereIsNoFurtherOne) {
  open(4);
  driver_->will_answer(page_of_texts({{"a"}, {"b"}}, "two"));
  driver_->will_answer(page_of_texts({}, "three"));  // of which all rows have expired
  driver_->will_answer(page_of_texts({{"c"}}, ""));
  std::vector<std::string> seen;
  ASSERT_TRUE(session_->for_each_row(request("a", hours(1)), [&](RowReader& row) {
    seen.emplace_back(row.read_text());
    return true;
  }));
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));
  EXPECT_THAT(driver_->paging_states(), ElementsAre("", "two", "three"));
  EXPECT_EQ(session_->in_flight(), 0U);
}

TEST_F(CassandraSession, AReaderThatHasEnoughAsksForNoFurtherPage) {
  open(4);
  driver_->will_answer(page_of_texts({{"a"}, {"b"}}, "two"));
  ASSERT_TRUE(session_->for_each_row(request("a", hours(1)), [](RowReader&) { return false; }));
  EXPECT_THAT(driver_->paging_states(), ElementsAre(""));
}

TEST_F(CassandraSession, AnErrorInTheMiddleIsTold) {
  open(4);
  driver_->will_answer(page_of_texts({{"a"}}, "two"));
  driver_->will_answer(fail(ErrorCode::kUnavailable, "gone"));
  int rows = 0;
  const auto read =
      session_->for_each_row(request("a", hours(1)), [&](RowReader&) { return ++rows > 0; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "gone");
  EXPECT_EQ(rows, 1);
}

TEST_F(CassandraSession, MoreThanTheBoundIsNotSentBeforeOneHasEnded) {
  open(2);
  send_waiting("a");
  send_waiting("b");
  std::thread third([this] { send_waiting("c"); });
  const auto refused = session_->fetch(request("d", milliseconds(1)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("2 requests are under way"));
  EXPECT_EQ(driver_->waiting(), 2U);
  driver_->answer_oldest(Page());
  third.join();
  EXPECT_EQ(driver_->waiting(), 2U);
  EXPECT_EQ(answered_, 1);
  driver_->answer_oldest(Page());
  driver_->answer_oldest(Page());
}

TEST_F(CassandraSession, OneOwnerLeavesHalfOfThePlacesToTheOthers) {
  open(4);
  send_waiting("a");
  send_waiting("a");
  EXPECT_FALSE(session_->fetch(request("a", milliseconds(1))));
  driver_->will_answer(page_of_texts({{"x"}}, ""));
  EXPECT_TRUE(session_->fetch(request("b", milliseconds(1))));
  driver_->answer_oldest(Page());
  driver_->will_answer(page_of_texts({{"x"}}, ""));
  EXPECT_TRUE(session_->fetch(request("a", hours(1))));
  driver_->answer_oldest(Page());
}

TEST_F(CassandraSession, AtTheEndOfAProgramNoDeadlineIsBehindItAndThenNothingIsSent) {
  open(4);
  const TimePoint end = SystemClock().steady() + hours(1);
  session_->end_by(end);
  session_->end_by(end + hours(5));
  driver_->will_answer(page_of_texts({{"a"}}, ""));
  ASSERT_TRUE(session_->fetch(request("a", hours(2))));
  driver_->will_answer(page_of_texts({{"a"}}, ""));
  ASSERT_TRUE(session_->fetch(request("a", milliseconds(500))));
  ASSERT_EQ(driver_->deadlines().size(), 2U);
  EXPECT_LE(driver_->deadlines()[0], hours(1));
  EXPECT_LE(driver_->deadlines()[1], milliseconds(500));
  session_->end_by(SystemClock().steady());
  const auto refused = session_->fetch(request("a", hours(1)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(driver_->deadlines().size(), 2U);
}

TEST_F(CassandraSession, AllPagesTogetherHaveOneDeadline) {
  open(4);
  driver_->will_answer(page_of_texts({{"a"}}, "two"));
  driver_->will_answer(page_of_texts({{"b"}}, ""));
  ASSERT_TRUE(session_->for_each_row(request("a", hours(1)), [](RowReader&) { return true; }));
  ASSERT_EQ(driver_->deadlines().size(), 2U);
  EXPECT_LE(driver_->deadlines()[0], hours(1));
  EXPECT_LT(driver_->deadlines()[1], driver_->deadlines()[0]);
}

TEST_F(CassandraSession, EndsOnlyWhenWhatWasSentIsAnswered) {
  open(4);
  send_waiting("a");
  auto ended = std::async(std::launch::async, [this] { session_.reset(); });
  EXPECT_EQ(answered_, 0);
  driver_->answer_oldest(Page());
  ended.get();
  EXPECT_EQ(answered_, 1);
}

TEST_F(CassandraSession, AFaultInWhoTakesTheAnswerKeepsNoPlace) {
  open(1);
  session_->send(request("a", hours(1)),
                 [](const Result<Page>&) { throw std::runtime_error("ours"); });
  driver_->answer_oldest(Page());
  EXPECT_EQ(session_->in_flight(), 0U);
}

}  // namespace
}  // namespace vigia::cassandra
