#include "services/router/api/loki/log_parameters.hpp"

#include <gtest/gtest.h>

#include "services/router/testing/questions.hpp"

namespace vigia::router::api::loki {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::kNowMs;
using testing::parameters_of;

constexpr std::int64_t kNowNs = kNowMs * 1'000'000;
constexpr std::int64_t kHourNs = 3'600'000'000'000;

TEST(LogTime, IsReadInEachForm) {
  EXPECT_EQ(parse_time_ns("1664088804"), 1'664'088'804'000'000'000);
  EXPECT_EQ(parse_time_ns("1664088804.5"), 1'664'088'804'500'000'000);
  EXPECT_EQ(parse_time_ns("1664088804000000001"), 1'664'088'804'000'000'001);
  EXPECT_EQ(parse_time_ns("2022-09-25T06:53:24.000000001Z"), 1'664'088'804'000'000'001);
  EXPECT_EQ(parse_time_ns("2022-09-25T08:53:24.1234567+02:00"), 1'664'088'804'123'456'700);
  EXPECT_EQ(parse_time_ns("4000000000"), 4'000'000'000'000'000'000);  // Grafana's test of a source
  EXPECT_EQ(parse_time_ns("-1"), -1'000'000'000);
  for (const char* text : {"", "x", "1e3", "9999999999", "99999999999999999999", "1.x", "nan", ".",
                           "2022-09-25", "1664088804s", "9999-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_time_ns(text).has_value()) << text;
  }
}

/// "START END" in nanoseconds from now, or what is wrong.
std::string range_of(const request::Form& form) {
  const auto range = read_range(parameters_of(form), kNowMs, hours(1));
  if (!range) return range.error().message;
  return std::to_string(range->start_ns - kNowNs) + " " + std::to_string(range->end_ns - kNowNs);
}

TEST(LogRange, WhatIsMissingIsTheLastHour) {
  const std::string hour = std::to_string(kHourNs);
  EXPECT_EQ(range_of({}), "-" + hour + " 0");
  EXPECT_EQ(range_of({{"since", "2h"}}), "-" + std::to_string(2 * kHourNs) + " 0");
  EXPECT_EQ(range_of({{"start", std::to_string(kNowNs - 5)}, {"since", "2h"}}), "-5 0");
  EXPECT_EQ(range_of({{"end", std::to_string(kNowNs - 7)}}),
            "-" + std::to_string(kHourNs + 7) + " -7");
  // An end that lies ahead moves no start.
  EXPECT_EQ(range_of({{"end", std::to_string(kNowNs + 7)}}), "-" + hour + " 7");
}

TEST(LogRange, WhatIsWrongIsSaid) {
  const std::string nothing = "end timestamp must not be before or equal to start time";
  EXPECT_EQ(range_of({{"start", "1664088804"}, {"end", "1664088804"}}), nothing);
  EXPECT_EQ(range_of({{"end", "-5"}}), nothing);
  EXPECT_NE(range_of({{"start", "yesterday"}}).find("\"start\": cannot be read as a time"),
            std::string::npos);
  EXPECT_NE(range_of({{"since", "-1h"}}).find("\"since\""), std::string::npos);
}

TEST(LineWish, HasLokisDefaultsAndBounds) {
  const auto wish = read_wish(parameters_of({}));
  ASSERT_TRUE(wish.has_value());
  EXPECT_EQ(wish->lines, 100U);
  EXPECT_EQ(wish->direction, Direction::kBackward);
  EXPECT_EQ(wish->interval.count(), 0);
  const auto other =
      read_wish(parameters_of({{"limit", "5000"}, {"direction", "FORWARD"}, {"interval", "1.5"}}));
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->lines, 5'000U);
  EXPECT_EQ(other->direction, Direction::kForward);
  EXPECT_EQ(other->interval, std::chrono::milliseconds(1'500));
  for (const request::Form& form : std::initializer_list<request::Form>{{{"limit", "0"}},
                                                                        {{"limit", "-1"}},
                                                                        {{"limit", "5001"}},
                                                                        {{"limit", "x"}},
                                                                        {{"direction", "up"}},
                                                                        {{"interval", "-1s"}},
                                                                        {{"step", "0"}}}) {
    const auto refused = read_wish(parameters_of(form));
    ASSERT_FALSE(refused.has_value()) << form.front().first << form.front().second;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  }
}

TEST(LogStep, IsA250thOfTheRange) {
  EXPECT_EQ(*read_step(parameters_of({}), {0, 250 * kHourNs}), hours(1));
  EXPECT_EQ(*read_step(parameters_of({}), {0, 1}), seconds(1));
  EXPECT_EQ(*read_step(parameters_of({{"step", "15"}}), {0, kHourNs}), seconds(15));
}

}  // namespace
}  // namespace vigia::router::api::loki
