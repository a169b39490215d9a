#include "services/router/api/jaeger/go_duration.hpp"

#include <gtest/gtest.h>

namespace vigia::router::api::jaeger {
namespace {

using namespace std::chrono_literals;

TEST(GoDuration, IsReadAsGoReadsIt) {
  EXPECT_EQ(parse_go_duration("1.2s"), 1'200ms);
  EXPECT_EQ(parse_go_duration("100ms"), 100ms);
  EXPECT_EQ(parse_go_duration("500us"), 500us);
  EXPECT_EQ(parse_go_duration("500\xc2\xb5s"), 500us);
  EXPECT_EQ(parse_go_duration("500\xce\xbcs"), 500us);
  EXPECT_EQ(parse_go_duration("7ns"), 7ns);
  EXPECT_EQ(parse_go_duration("1h15m30.918s"), 1h + 15min + 30'918ms);
  EXPECT_EQ(parse_go_duration("1s1h"), 1h + 1s) << "in any order";
  EXPECT_EQ(parse_go_duration("-1.5h"), -90min);
  EXPECT_EQ(parse_go_duration("+5s"), 5s);
  EXPECT_EQ(parse_go_duration(".5s"), 500ms);
  EXPECT_EQ(parse_go_duration("5.s"), 5s);
  EXPECT_EQ(parse_go_duration("0"), 0s);
  EXPECT_EQ(parse_go_duration("-0"), 0s);
  EXPECT_EQ(parse_go_duration("0.4ns"), 0ns);
  EXPECT_EQ(parse_go_duration("9223372036854775807ns"), Duration::max());
}

TEST(GoDuration, EverythingElseIsNone) {
  for (const char* text : {"",
                           "-",
                           "+",
                           "5",
                           "1.5",
                           "s",
                           ".s",
                           ".",
                           "1x",
                           "1 s",
                           " 1s",
                           "1s ",
                           "1s2",
                           "1e3s",
                           "1d",
                           "1S",
                           "--1s",
                           "+-1s",
                           "nans",
                           "1..5s",
                           "1.5.s",
                           "3,5s",
                           "9223372036854775808ns",
                           "2562048h",
                           "9223372036s1s",
                           "99999999999999999999s",
                           "1s\xc2"}) {
    EXPECT_FALSE(parse_go_duration(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace vigia::router::api::jaeger
