#include "services/router/run/joined_queries.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "services/router/testing/questions.hpp"
#include "services/router/testing/scripted_store.hpp"

namespace vigia::router::run {
namespace {

using testing::acme;
using testing::data_of;
using testing::parameters_of;
using testing::rules_of;

plan::Question question_of(const request::Form& form, access::Caller caller = acme()) {
  auto question = plan::read_instant(std::move(caller), parameters_of(form), rules_of());
  EXPECT_TRUE(question.has_value());
  return std::move(*question);
}

access::Caller of(const std::string& customer) {
  access::Caller caller = acme();
  caller.customer = *CustomerId::parse(customer);
  return caller;
}

/// A query that was begun, for a test to go on with.
struct Begun {
  std::shared_ptr<access::Interest> interest;
  JoinedQueries::Begun begun;
  JoinedQueries::Done done;
};

/// What one caller was told.
struct Told {
  std::vector<std::string> texts;
  std::shared_ptr<access::Interest> interest = std::make_shared<access::Interest>();
};

class JoinedQueriesTest : public ::testing::Test {
 protected:
  std::shared_ptr<Told> ask(plan::Question question) {
    auto told = std::make_shared<Told>();
    joined.start(
        std::move(question), told->interest,
        [this](const plan::Question& /*question*/, std::shared_ptr<access::Interest> interest,
               JoinedQueries::Begun begun, JoinedQueries::Done done) {
          runs.push_back({std::move(interest), std::move(begun), std::move(done)});
        },
        [told](const Outcome& outcome) {
          told->texts.push_back(outcome.answer ? std::string(outcome.answer->data())
                                               : "!" + outcome.answer.error().message);
        });
    return told;
  }
  std::shared_ptr<Told> ask_up() { return ask(question_of({{"query", "up"}, {"time", "100"}})); }

  ManualClock clock{0};
  service::MetricRegistry metrics;
  std::vector<Begun> runs;  // goes after what tells it
  JoinedQueries joined{clock, metrics};
};

using Texts = std::vector<std::string>;

TEST_F(JoinedQueriesTest, WhoAsksTheSameGetsTheSame) {
  const auto first = ask_up();
  const auto second = ask_up();
  const auto third = ask(question_of({{"query", " up "}, {"time", "100.000"}}));
  ASSERT_EQ(runs.size(), 1U) << "by what it is, however it was written";
  runs[0].done({data_of("[1]"), {}});
  for (const auto& told : {first, second, third}) EXPECT_EQ(told->texts, Texts{"[1]"});
  (void)ask_up();
  EXPECT_EQ(runs.size(), 2U) << "what is over is joined by nobody";
}

TEST_F(JoinedQueriesTest, WhoAsksAnythingElseIsAskedForByItself) {
  (void)ask_up();
  (void)ask(question_of({{"query", "down"}, {"time", "100"}}));
  (void)ask(question_of({{"query", "up"}, {"time", "101"}}));
  (void)ask(question_of({{"query", "up"}, {"time", "100"}, {"timeout", "1s"}}));
  (void)ask(question_of({{"query", "up"}, {"time", "100"}, {"limit", "1"}}));
  (void)ask(question_of({{"query", "up"}, {"time", "100"}, {"lookback_delta", "1m"}}));
  (void)ask(question_of({{"query", "up"}, {"time", "100"}, {"stats", "1"}}));
  EXPECT_EQ(runs.size(), 7U);
}

// An operator may write a customer's fence himself: the text is the same, and what it opens is not.
TEST_F(JoinedQueriesTest, NobodyGetsAnothersAnswer) {
  (void)ask_up();
  const auto other = ask(question_of({{"query", "up"}, {"time", "100"}}, of("other")));
  const auto all = ask(question_of({{"query", "up{customer_id=\"acme\"}"}, {"time", "100"}}, {}));
  const auto without = ask(question_of({{"query", "1"}, {"time", "100"}}, of("other")));
  const auto mine = ask(question_of({{"query", "1"}, {"time", "100"}}));
  ASSERT_EQ(runs.size(), 5U);
  runs[0].done({data_of("[1]"), {}});
  for (const auto& told : {other, all, without, mine}) EXPECT_EQ(told->texts, Texts{});
}

TEST_F(JoinedQueriesTest, WhoMayTakeMoreIsAskedForByHimself) {
  (void)ask_up();
  access::Caller caller = acme();
  caller.limits.samples = 1;
  (void)ask(question_of({{"query", "up"}, {"time", "100"}}, std::move(caller)));
  EXPECT_EQ(runs.size(), 2U);
}

TEST_F(JoinedQueriesTest, WhoLeavesTakesTheQueryFromNobody) {
  const auto first = ask_up();
  const auto second = ask_up();
  first->interest->lose();
  EXPECT_EQ(first->texts, Texts{"!the client has left"});
  EXPECT_FALSE(runs[0].interest->is_lost());
  const auto third = ask_up();
  ASSERT_EQ(runs.size(), 1U);
  runs[0].done({data_of("[1]"), {}});
  EXPECT_EQ(first->texts.size(), 1U);
  EXPECT_EQ(second->texts, Texts{"[1]"});
  EXPECT_EQ(third->texts, Texts{"[1]"});
}

TEST_F(JoinedQueriesTest, TheLastOneWhoLeavesGivesItUp) {
  const auto first = ask_up();
  const auto second = ask_up();
  second->interest->lose();
  first->interest->lose();
  EXPECT_TRUE(runs[0].interest->is_lost());
  const auto newcomer = ask_up();
  ASSERT_EQ(runs.size(), 2U) << "what was given up has no answer for him";
  runs[0].done({fail(ErrorCode::kDeadline, "the client has left"), {}});
  EXPECT_EQ(newcomer->texts, Texts{});
  runs[1].done({data_of("[2]"), {}});
  EXPECT_EQ(newcomer->texts, Texts{"[2]"});
  EXPECT_EQ(first->texts.size(), 1U);
}

TEST_F(JoinedQueriesTest, AnErrorIsEverybodys) {
  const auto first = ask_up();
  const auto second = ask_up();
  runs[0].done({fail(ErrorCode::kUnavailable, "away"), {}});
  EXPECT_EQ(first->texts, Texts{"!away"});
  EXPECT_EQ(second->texts, Texts{"!away"});
}

TEST_F(JoinedQueriesTest, NobodyGetsWhatWasReadLongBeforeHeCame) {
  (void)ask_up();
  clock.advance(std::chrono::seconds(20));
  (void)ask_up();
  ASSERT_EQ(runs.size(), 1U) << "it waits for its turn, and has read nothing";
  runs[0].begun();
  clock.advance(JoinedQueries::kSentMax);
  runs[0].begun();  // of a second store: what the first said is in its answer, too
  (void)ask_up();
  ASSERT_EQ(runs.size(), 1U);
  clock.advance(std::chrono::milliseconds(1));
  const auto late = ask_up();
  ASSERT_EQ(runs.size(), 2U);
  runs[0].done({data_of("[1]"), {}});
  const auto later = ask_up();
  EXPECT_EQ(runs.size(), 2U) << "the first one's end says nothing of the second";
  runs[1].done({data_of("[2]"), {}});
  EXPECT_EQ(late->texts, Texts{"[2]"});
  EXPECT_EQ(later->texts, Texts{"[2]"});
}

TEST_F(JoinedQueriesTest, NobodyIsToldThatATimeWasUpWhichWasNotHis) {
  (void)ask_up();
  clock.advance(std::chrono::seconds(70));  // of 125
  (void)ask_up();
  EXPECT_EQ(runs.size(), 2U);
}

TEST_F(JoinedQueriesTest, WhoHasLeftAlreadyJoinsNothing) {
  const auto first = ask_up();
  auto gone = std::make_shared<Told>();
  gone->interest->lose();
  joined.start(
      question_of({{"query", "up"}, {"time", "100"}}), gone->interest,
      [](const plan::Question& /*question*/, const std::shared_ptr<access::Interest>& /*interest*/,
         const JoinedQueries::Begun& /*begun*/, const JoinedQueries::Done& /*done*/) {},
      [gone](const Outcome& /*outcome*/) { gone->texts.emplace_back("told"); });
  EXPECT_EQ(gone->texts, Texts{"told"});
  EXPECT_FALSE(runs[0].interest->is_lost());
  runs[0].done({data_of("[1]"), {}});
  EXPECT_EQ(first->texts, Texts{"[1]"});
}

// As where a store stops, or has no memory: it was kept for ever, and so was who waited for it.
TEST_F(JoinedQueriesTest, AQueryThatIsLetGoLetsGoWhoWaits) {
  const auto first = ask_up();
  const auto second = ask_up();
  EXPECT_EQ(first.use_count(), 2);
  runs.clear();
  EXPECT_EQ(first.use_count(), 1);
  EXPECT_EQ(second.use_count(), 1);
  (void)ask_up();
  EXPECT_EQ(runs.size(), 1U);
}

}  // namespace
}  // namespace vigia::router::run
