#include "libs/base/rfc3339.hpp"

#include <gtest/gtest.h>

namespace vigia {
namespace {

TEST(Rfc3339, ReadsEveryOffset) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00-01:00"), 3'600'000);
  EXPECT_EQ(parse_rfc3339("2021-01-04T07:40:00Z"), 1'609'746'000'000);
  EXPECT_EQ(parse_rfc3339("2021-01-04t04:40:00-03:00"), 1'609'746'000'000);
  EXPECT_EQ(parse_rfc3339("2021-01-04T13:10:00+05:30"), 1'609'746'000'000);
  EXPECT_EQ(parse_rfc3339("2021-01-04T07:40:00z"), 1'609'746'000'000);
}

TEST(Rfc3339, ReadsMillisecondsAndCutsTheRest) {
  EXPECT_EQ(parse_rfc3339("2021-01-04T07:40:00.5Z"), 1'609'746'000'500);
  EXPECT_EQ(parse_rfc3339("2021-01-04T07:40:00.1239+00:00"), 1'609'746'000'123);
  EXPECT_EQ(parse_rfc3339("2021-01-04T07:40:00." + std::string(500, '9') + "Z"), 1'609'746'000'999);
}

TEST(Rfc3339, EverythingElseIsRefused) {
  for (const auto* text : {"",
                           "x",
                           "now",
                           "1609746000",
                           "2021-01-04",
                           "2021-02-30T00:00:00Z",
                           "2021-02-29T00:00:00Z",
                           "2021-13-01T00:00:00Z",
                           "2021-01-04T07:40:00",
                           "2021-01-04T24:40:00Z",
                           "2021-01-04T07:60:00Z",
                           "2021-01-04T07:40:60Z",
                           "2021-01-04T07:40:00.Z",
                           "2021-01-04T07:40:00+0200",
                           "2021-01-04T07:40:00+24:00",
                           "2021-01-04 07:40:00Z",
                           "2021-01-04T07:40:00Z ",
                           " 2021-01-04T07:40:00Z",
                           "-021-01-04T07:40:00Z",
                           "2021-01-04T07:40:00Zx",
                           "2021-1-4T07:40:00Z",
                           "9999-12-31T23:59:59-01:00"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Rfc3339, WhatIsWrittenReadsBack) {
  EXPECT_EQ(format_rfc3339(1'609'746'000'000), "2021-01-04T07:40:00Z");
  EXPECT_EQ(format_rfc3339(1'609'746'000'081), "2021-01-04T07:40:00.081Z");
  for (const std::int64_t time : {std::int64_t{0}, std::int64_t{-1'500},
                                  std::int64_t{-62'167'219'200'000}, 253'402'300'799'999}) {
    const auto text = format_rfc3339(time);
    ASSERT_TRUE(text.has_value()) << time;
    EXPECT_EQ(parse_rfc3339(*text), time) << *text;
  }
  EXPECT_EQ(format_rfc3339(-62'167'219'200'001), std::nullopt);
  EXPECT_EQ(format_rfc3339(253'402'300'800'000), std::nullopt);
}

}  // namespace
}  // namespace vigia
