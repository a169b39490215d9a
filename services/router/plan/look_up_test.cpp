#include "services/router/plan/look_up.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/plan/cold_form.hpp"
#include "services/router/testing/questions.hpp"

namespace vigia::router::plan {
namespace {

using testing::acme;
using ::testing::HasSubstr;
using testing::parameters_of;

Result<LookUp> read(const access::Caller& caller, const request::Form& form) {
  return read_look_up(caller, parameters_of(form), promql::Dialect::kPrometheus3, testing::kNowMs);
}

TEST(LookUp, WithoutASelectorHotIsAskedForTheCustomersSeries) {
  const auto own = read(acme(), {});
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(own->hot_form, (request::Form{{"match[]", R"({customer_id="acme"})"}}));
  EXPECT_EQ(own->cold_form, request::Form{});
  const auto all = read({}, {});
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->hot_form, request::Form{});
}

TEST(LookUp, SelectorsAreFencedForHotAndTakenApartForStorage) {
  const auto look_up =
      read(acme(), {{"match[]", R"(up{job=~"a|b"})"}, {"match[]", R"({x=~"1.*"})"}});
  ASSERT_TRUE(look_up.has_value()) << look_up.error().message;
  EXPECT_EQ(look_up->hot_form, (request::Form{{"match[]", R"(up{job=~"a|b",customer_id="acme"})"},
                                              {"match[]", R"({x=~"1.*",customer_id="acme"})"}}));
  EXPECT_EQ(look_up->cold_form, (request::Form{{"matcher", "__name__=up"},
                                               {"matcher", "job=~a|b"},
                                               {"next", "1"},
                                               {"matcher", "x=~1.*"}}));
}

TEST(LookUp, TimesAndLimitGoToBoth) {
  const auto look_up = read({}, {{"start", "1"}, {"end", "1e15"}, {"limit", "5"}});
  ASSERT_TRUE(look_up.has_value()) << look_up.error().message;
  EXPECT_EQ(look_up->start_ms, 1'000);
  EXPECT_EQ(look_up->limit, 5U);
  EXPECT_EQ(look_up->hot_form,
            (request::Form{{"start", "1.000"}, {"end", "1000000000000000.000"}, {"limit", "5"}}));
  EXPECT_EQ(look_up->cold_form,
            (request::Form{{"start", "1.000"}, {"end", "20000000000.000"}, {"limit", "5"}}))
      << "storage takes no time so far away, where there is nothing";
}

TEST(LookUp, FaultsAreTheCallers) {
  for (const auto& [form, wanted] : std::vector<std::pair<request::Form, std::string>>{
           {{{"match[]", "up{"}}, "invalid parameter \"match[]\""},
           {{{"match[]", R"({"a=b"="c"})"}}, "label names with = or ! cannot be asked for"},
           {{{"limit", "-1"}}, "must be a number from 0 on"},
           {{{"limit", "1x"}}, "must be a number from 0 on"},
           {{{"start", "x"}}, "invalid parameter \"start\""}}) {
    const auto look_up = read(acme(), form);
    ASSERT_FALSE(look_up.has_value()) << wanted;
    EXPECT_EQ(look_up.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(look_up.error().message, HasSubstr(wanted));
  }
}

TEST(ColdForm, WhatCannotBeSaidIsToldAndTheRestStays) {
  promql::Selector selector;
  selector.name = "up";
  selector.matchers = {{MatchType::kEqual, "a=b", "c"}, {MatchType::kNotRegex, "job", "x.*"}};
  request::Form form;
  EXPECT_FALSE(append_matchers(selector, form));
  EXPECT_EQ(form, (request::Form{{"matcher", "__name__=up"}, {"matcher", "job!~x.*"}}));
}

}  // namespace
}  // namespace vigia::router::plan
