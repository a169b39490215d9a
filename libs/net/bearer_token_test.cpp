#include "libs/net/bearer_token.hpp"

#include <gtest/gtest.h>

namespace vigia::net {
namespace {

TEST(BearerToken, IsReadOneWayAtEveryDoor) {
  struct Case {
    std::string_view header;
    std::string_view token;  ///< "": none
  };
  for (const Case& one : std::initializer_list<Case>{
           {"Bearer tok", "tok"},
           {"BEARER tok", "tok"},
           {"bearer tok", "tok"},
           {"bEaReR TOK", "TOK"},
           {"Bearer   tok", "tok"},
           {"Bearer tok  ", "tok"},
           {"Bearer aZ09-._~+/==", "aZ09-._~+/=="},
           {"", ""},
           {"Bearer", ""},
           {"Bearer ", ""},
           {"Bearer   ", ""},
           {"Bearertok", ""},
           {" Bearer tok", ""},
           {"Bearer\ttok", ""},
           {"Bearer a b", ""},
           {"Bearer a,b", ""},
           {"Bearer \"tok\"", ""},
           {"Bearer tok=en", ""},
           {"Bearer =", ""},
           {"Bearer tok\xc3\xb3n", ""},
           {"Basic dXNlcg==", ""},
           {"tok", ""},
       }) {
    const auto token = bearer_token(one.header);
    EXPECT_EQ(token.value_or(""), one.token) << one.header;
    EXPECT_EQ(token.has_value(), !one.token.empty()) << one.header;
    if (!token) {
      EXPECT_EQ(token.error().code, ErrorCode::kUnauthenticated);
    }
  }
}

TEST(BearerToken, WhatAConfigurationHoldsIsJudgedByTheSameRule) {
  EXPECT_TRUE(is_token68("0123456789abcdef"));
  EXPECT_TRUE(is_token68("vgo_AZ-9=="));
  for (const std::string_view text : {"", "a b", "pass:word", "=", "a=b", "se\xc3\xb1or", "a\n"})
    EXPECT_FALSE(is_token68(text)) << text;
}

}  // namespace
}  // namespace vigia::net
