#include "libs/net/media_type.hpp"

#include <gtest/gtest.h>

namespace vigia::net {
namespace {

TEST(MediaType, AnySpellingOfTheStandardD11) {
  for (const auto* header :
       {"application/x-protobuf;proto=a.B", "application/x-protobuf; proto=a.B",
        "Application/X-Protobuf ;\tProto=\"a.B\"", "application/x-protobuf; proto=\"a\\.B\"",
        "application/x-protobuf; charset=utf-8; proto=a.B ",
        " application/x-protobuf;;proto=a.B"}) {
    const MediaType type(header);
    EXPECT_EQ(type.type(), "application/x-protobuf") << header;
    EXPECT_EQ(type.parameter("proto"), "a.B") << header;
    EXPECT_EQ(type.parameter("other"), "") << header;
  }
}

TEST(MediaType, QuotesMayHoldASemicolon) {
  const MediaType type(R"(text/plain; a="x;b=y"; b=z)");
  EXPECT_EQ(type.parameter("a"), "x;b=y");
  EXPECT_EQ(type.parameter("b"), "z");
}

TEST(MediaType, WhatIsBrokenHasNoMeaning) {
  EXPECT_EQ(MediaType("").type(), "");
  EXPECT_EQ(MediaType(";proto").parameter("proto"), "");
  EXPECT_EQ(MediaType("a/b; c=\"").parameter("c"), "\"");
  EXPECT_EQ(MediaType("a/b; c=\"\\").parameter("c"), "\"\\");
}

}  // namespace
}  // namespace vigia::net
