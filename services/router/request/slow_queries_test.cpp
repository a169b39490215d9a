#include "services/router/request/slow_queries.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/testing/questions.hpp"

namespace vigia::router::request {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::acme;
using testing::parameters_of;

class SlowQueriesTest : public ::testing::Test {
 protected:
  /// How many of them are written.
  std::size_t tell(const std::string& customer, int times) {
    const std::size_t before = written_.size();
    for (int i = 0; i < times; ++i) {
      SlowQuery query;
      query.asked.customer = customer;
      slow_.tell(std::move(query));
    }
    return written_.size() - before;
  }

  ManualClock clock_{0};
  service::MetricRegistry metrics_;
  std::vector<SlowQuery> written_;
  SlowQueries slow_{seconds(5), metrics_, clock_,
                    [this](const SlowQuery& query) { written_.push_back(query); }};
};

TEST_F(SlowQueriesTest, WhatTakesAsLongAsTheThresholdIsSlow) {
  EXPECT_TRUE(slow_.is_slow(seconds(5)));
  EXPECT_FALSE(slow_.is_slow(milliseconds(4'999)));
  const SlowQueries off(seconds(0), metrics_, clock_);
  EXPECT_FALSE(off.is_slow(seconds(3'600)));
}

TEST_F(SlowQueriesTest, OneCustomerHasAShareAndTheOthersHaveTheirs) {
  EXPECT_EQ(tell("a", 100), 10U);
  EXPECT_EQ(tell("b", 3), 3U);
  clock_.advance(seconds(9));
  EXPECT_EQ(tell("a", 1), 0U);
  clock_.advance(seconds(1));
  EXPECT_EQ(tell("a", 5), 1U);
  EXPECT_EQ(written_.back().left_out, 91U);
  clock_.advance(seconds(1'000));
  EXPECT_EQ(tell("a", 100), 10U) << "what is not used is not saved up";
  EXPECT_EQ(metrics_.counter("vigia_router_slow_queries_total", "", {}).value(), 209);
  EXPECT_EQ(metrics_.counter("vigia_router_slow_queries_left_out_total", "", {}).value(),
            209 - static_cast<int>(written_.size()));
}

TEST_F(SlowQueriesTest, AllTogetherHaveOneToo) {
  std::size_t written = 0;
  for (int i = 0; i < 300; ++i) written += tell("customer-" + std::to_string(i), 1);
  EXPECT_EQ(written, 100U);
  clock_.advance(seconds(1));
  for (int i = 0; i < 300; ++i) written += tell("other-" + std::to_string(i), 1);
  EXPECT_EQ(written, 110U);
}

TEST(AskedQuery, HasTheTextAndTheTimesAndNothingElse) {
  const auto asked = AskedQuery::of(acme(), parameters_of({{"query", "up{a=\"b\"}"},
                                                           {"step", "15"},
                                                           {"start", "1"},
                                                           {"access_token", "SECRET"},
                                                           {"cursor", "SECRET"}}));
  EXPECT_EQ(asked.customer, "acme");
  EXPECT_EQ(asked.text, "up{a=\"b\"}");
  EXPECT_EQ(asked.times, "start=1&step=15");
}

TEST(AskedQuery, HasSelectorsOrWhatIsSearched) {
  EXPECT_EQ(AskedQuery::of(acme(), parameters_of({{"match[]", "up"}, {"match[]", "down"}})).text,
            "up or down");
  EXPECT_EQ(
      AskedQuery::of(
          acme(),
          parameters_of({{"operation", "GET /"}, {"service", "shop"}, {"tags", R"({"a":"b"})"}}))
          .text,
      R"(service=shop operation=GET / tags={"a":"b"})");
}

TEST(AskedQuery, IsCutBehindAWholeCharacterAndShowsNoUnseenOnes) {
  const std::string text = "x" + std::string(2'046, 'a') + "\xc3\xb1 and more";
  EXPECT_EQ(AskedQuery::of(acme(), parameters_of({{"query", text}})).text,
            "x" + std::string(2'046, 'a'));
  EXPECT_EQ(AskedQuery::of(acme(), parameters_of({{"query",
                                                   "a\xc2\x9b"
                                                   "1m\xe2\x80\xae\xc3\xb1"}}))
                .text,
            "a\xef\xbf\xbd"
            "1m\xef\xbf\xbd\xc3\xb1");
}

}  // namespace
}  // namespace vigia::router::request
