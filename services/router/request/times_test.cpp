#include "services/router/request/times.hpp"

#include <gtest/gtest.h>

namespace vigia::router::request {
namespace {

using namespace std::chrono_literals;

// D16.
TEST(Times, SecondsAndRfc3339) {
  EXPECT_EQ(parse_time("1609746000"), 1'609'746'000'000);
  EXPECT_EQ(parse_time("1609746000.7814"), 1'609'746'000'781);
  EXPECT_EQ(parse_time("-1.5"), -1'500);
  EXPECT_EQ(parse_time("+1.7e9"), 1'700'000'000'000);
  EXPECT_EQ(parse_time("1.6e9"), 1'600'000'000'000);
  EXPECT_EQ(parse_time("2021-01-04T07:40:00Z"), 1'609'746'000'000);
  EXPECT_EQ(parse_time("2021-01-04T07:40:00.5Z"), 1'609'746'000'500);
  EXPECT_EQ(parse_time("2021-01-04T09:40:00.123456+02:00"), 1'609'746'000'123);
  EXPECT_EQ(parse_time("2021-01-04t04:40:00-03:00"), 1'609'746'000'000);
}

TEST(Times, EverythingElseIsRefused) {
  for (const auto* text :
       {"", "x", "1609746000s", "NaN", "Inf", "1e300", "2021-01-04", "now", "2021-02-30T00:00:00Z",
        "2021-01-04T07:40:00", "2021-01-04T24:40:00Z", "2021-01-04T07:40:00.Z",
        "2021-01-04T07:40:00+0200", " 1", "+", "+-1", "++1", "2021-01-04T07:40:00Z "}) {
    EXPECT_FALSE(parse_time(text).has_value()) << text;
  }
}

TEST(Times, LengthsAreSecondsOrUnits) {
  EXPECT_EQ(parse_length("15"), 15s);
  EXPECT_EQ(parse_length("0.5"), 500ms);
  EXPECT_EQ(parse_length("1h30m"), 90min);
  for (const auto* text : {"", "x", "1e300", "-1m", "NaN"}) {
    EXPECT_FALSE(parse_length(text).has_value()) << text;
  }
}

TEST(Times, WhatIsFormattedReadsBack) {
  for (const TimestampMs time : {TimestampMs{0}, TimestampMs{1'609'746'000'781},
                                 TimestampMs{-1'500}, TimestampMs{253'402'300'799'999}}) {
    EXPECT_EQ(parse_time(format_time(time)), time) << format_time(time);
    EXPECT_EQ(parse_time(format_seconds(time)), time) << format_seconds(time);
  }
  EXPECT_EQ(format_time(1'609'746'000'000), "2021-01-04T07:40:00Z");
  EXPECT_EQ(format_time(1'609'746'000'781), "2021-01-04T07:40:00.781Z");
  EXPECT_EQ(format_time(9'000'000'000'000'000), "9000000000000.000");
  EXPECT_EQ(format_seconds(-1'500), "-1.500");
}

}  // namespace
}  // namespace vigia::router::request
