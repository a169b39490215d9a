#include "services/router/plan/federation.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/testing/questions.hpp"

namespace vigia::router::plan {
namespace {

using testing::acme;
using ::testing::HasSubstr;
using testing::kNowMs;
using testing::parameters_of;
using testing::rules_of;

Result<Question> read(const request::Form& form, access::Caller caller = acme()) {
  return read_federation(std::move(caller), parameters_of(form), rules_of());
}

TEST(Federation, IsAQuestionForTheLastFiveMinutes) {
  const auto question = read({{"match[]", "up"}, {"match[]", R"({job=~"x.*"})"}, {"x", "y"}});
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->path, "/federate");
  const request::Form expected{{"match[]", R"(up{customer_id="acme"})"},
                               {"match[]", R"({job=~"x.*",customer_id="acme"})"}};
  EXPECT_EQ(question->form, expected);
  EXPECT_EQ(*question->touches, (promql::TimeRange{kNowMs - 300'000, kNowMs}));
  EXPECT_EQ(bare_reading(*question->expr, question->ranges),
            R"(count(last_over_time(up{customer_id="acme"}[5m1ms] @ 1800000000.000)) or )"
            R"(count(last_over_time({job=~"x.*",customer_id="acme"}[5m1ms] @ 1800000000.000)))");
}

TEST(Federation, OfAnOperatorIsNotFenced) {
  const auto question = read({{"match[]", "up"}}, {});
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->form, (request::Form{{"match[]", "up"}}));
}

TEST(Federation, WrongOnesAreTheCallersFault) {
  const auto refused = [](const request::Form& form) {
    const auto question = read(form);
    EXPECT_FALSE(question.has_value());
    if (question) return std::string();
    EXPECT_EQ(question.error().code, ErrorCode::kInvalid);
    return question.error().message;
  };
  EXPECT_EQ(refused({}), "no match[] parameter provided");
  EXPECT_EQ(refused({{"match", "up"}}), "no match[] parameter provided");
  for (const char* text : {"up{", "up[5m]", "sum(up)", "{}", "up offset 5m", ""}) {
    EXPECT_THAT(refused({{"match[]", "up"}, {"match[]", text}}),
                HasSubstr("invalid parameter \"match[]\""));
  }
  EXPECT_THAT(refused({{"match[]", R"(up{__rollup__="1h:sum"})"}}), HasSubstr("router's own"));
  EXPECT_THAT(refused(request::Form(17, {"match[]", "up"})), HasSubstr("more than 16"));
}

}  // namespace
}  // namespace vigia::router::plan
