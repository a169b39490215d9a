#include "libs/logql/quantities.hpp"

#include <gtest/gtest.h>

namespace vigia::logql {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Quantities, NumbersArePlain) {
  EXPECT_EQ(parse_plain_number("12"), 12);
  EXPECT_EQ(parse_plain_number(".5"), 0.5);
  EXPECT_EQ(parse_plain_number("1e3"), 1000);
  EXPECT_EQ(parse_plain_number("2.5E-1"), 0.25);
  for (const char* text : {"", "x", "1x", "0x10", "1_000", "1e999", "inf", "nan", "-1"}) {
    EXPECT_FALSE(parse_plain_number(text).has_value()) << text;
  }
}

TEST(Quantities, LengthsAreGosAndPrometheus) {
  EXPECT_EQ(parse_length("90s"), seconds(90));
  EXPECT_EQ(parse_length("1h30m"), minutes(90));
  EXPECT_EQ(parse_length("1.5h"), minutes(90));
  EXPECT_EQ(parse_length("250us"), microseconds(250));
  EXPECT_EQ(parse_length("250\xC2\xB5s"), microseconds(250));
  EXPECT_EQ(parse_length("100ns"), Duration(100));
  EXPECT_EQ(parse_length("1m2.5s"), std::chrono::milliseconds(62'500));
  EXPECT_EQ(parse_length("1d"), hours(24));
  EXPECT_EQ(parse_length("2w"), hours(24 * 14));
  for (const char* text : {"", "5", "s", "5q", "1.2.3s", "-5s", "5 s", "300y", "9999999h"}) {
    EXPECT_FALSE(parse_length(text).has_value()) << text;
  }
}

TEST(Quantities, LengthsReadBack) {
  for (const Duration length : {Duration(1), Duration(1'500), Duration(1'000), Duration(0),
                                Duration(90'000'000'000), Duration(1'000'001)}) {
    EXPECT_EQ(parse_length(format_length(length)), length) << format_length(length);
  }
}

TEST(Quantities, SizesAreOfAThousandOr1024) {
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("20kb"), 20'000U);
  EXPECT_EQ(parse_size("20KiB"), 20'480U);
  EXPECT_EQ(parse_size("1.5MiB"), 1'572'864U);
  EXPECT_EQ(parse_size("7eb"), 7'000'000'000'000'000'000U);
  EXPECT_EQ(parse_size(format_size(123'456'789)), 123'456'789U);
  for (const char* text : {"", "B", "5", "5x", "5kbb", "-5B", "9.3eb", "5 B"}) {
    EXPECT_FALSE(parse_size(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace vigia::logql
