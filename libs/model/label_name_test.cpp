#include "libs/model/label_name.hpp"

#include <gtest/gtest.h>

namespace vigia {
namespace {

TEST(LabelName, IsAnyTextButNone) {
  for (const char* name :
       {"up", "http.requests", "with blank", "1st", "über", "🟢", "a=b", "\"", "\x01"}) {
    EXPECT_TRUE(is_name(name)) << name;
  }
  EXPECT_FALSE(is_name(""));
  EXPECT_FALSE(is_name("\xc3"));
  EXPECT_FALSE(is_name("a\x80"));
  EXPECT_FALSE(is_name(std::string_view("a\0b", 3)));
}

TEST(LabelName, ClassicIsWhatNeedsNoQuotes) {
  for (const char* name : {"up", "_", "A9", "__name__"}) {
    EXPECT_TRUE(is_classic_label_name(name)) << name;
    EXPECT_TRUE(is_classic_metric_name(name)) << name;
  }
  for (const char* name : {"", "9a", "a.b", "a b", "a-b", "ñ"}) {
    EXPECT_FALSE(is_classic_label_name(name)) << name;
    EXPECT_FALSE(is_classic_metric_name(name)) << name;
  }
  for (const char* name : {":", "a:b", ":1"}) {
    EXPECT_FALSE(is_classic_label_name(name)) << name;
    EXPECT_TRUE(is_classic_metric_name(name)) << name;
  }
}

TEST(LabelName, AnEscapedOneIsWhatItStandsFor) {
  EXPECT_EQ(unescaped_name("http_requests"), "http_requests");
  EXPECT_EQ(unescaped_name("U__http_2e_requests"), "http.requests");
  EXPECT_EQ(unescaped_name("U__my__label_20_x"), "my_label x");
  EXPECT_EQ(unescaped_name("U___fc_ber_1f7e2_"), "über🟢");
  EXPECT_EQ(unescaped_name("U___2F_"), "/");
  EXPECT_EQ(unescaped_name("U__"), "");
}

TEST(LabelName, WhatIsNotEscapedStandsForItself) {
  for (const char* text : {"", "U_", "u__a_2e_", "U__a_2e", "U__a_", "U__a_zz_", "U__a_-1_",
                           "U__a_d800_", "U__a_110000_", "U__a_0000020_"}) {
    EXPECT_EQ(unescaped_name(text), text) << text;
  }
}

}  // namespace
}  // namespace vigia
