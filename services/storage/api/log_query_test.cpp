#include "services/storage/api/log_query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::storage::api {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> matchers_of(std::string_view text) {
  std::vector<std::string> all;
  const auto matchers = parse_stream_query(text);
  if (!matchers) return {"error"};
  for (const store::LabelMatcher& one : *matchers) {
    all.push_back(one.name() + std::string(operator_of(one.type())) + one.value());
  }
  return all;
}

TEST(StreamQuery, IsReadAsItIsWritten) {
  EXPECT_THAT(matchers_of("{}"), ElementsAre());
  EXPECT_THAT(matchers_of(R"({service_name="shop"})"), ElementsAre("service_name=shop"));
  EXPECT_THAT(matchers_of(R"( { a = "1" , k8s.pod!~"x{2}|,y" ,c!="" , } )"),
              ElementsAre("a=1", "k8s.pod!~x{2}|,y", "c!="));
  EXPECT_THAT(matchers_of(R"({a="say \"so\"\n\\",b=~`\d+"`})"),
              ElementsAre("a=say \"so\"\n\\", "b=~\\d+\""));
}

TEST(StreamQuery, ANameMayStandInQuotes) {
  EXPECT_THAT(matchers_of(R"({"http.requests"})"), ElementsAre("__name__=http.requests"));
  EXPECT_THAT(matchers_of(R"({ "http.requests" , "a=b,{" !~ "x" , c="1", `d\`="2"})"),
              ElementsAre("__name__=http.requests", "a=b,{!~x", "c=1", R"(d\=2)"));
  EXPECT_THAT(matchers_of(R"({"say \"so\""=~`y`})"), ElementsAre("say \"so\"=~y"));
  for (const char* text : {R"({""})", R"({""="1"})", R"({"a)", R"({"a"b="1"})", R"({"a" "b"})",
                           R"({"a"=1})", R"({"a"="1" "b"="2"})", "{\"\xff\"}"}) {
    EXPECT_THAT(matchers_of(text), ElementsAre("error")) << text;
  }
}

TEST(StreamQuery, WhatIsNoneIsRefused) {
  for (const char* text : {"", "a=\"1\"", "{", "{a}", "{a=}", "{a=1}", "{a=\"1}", "{a=x\"1\"}",
                           "{=\"1\"}", "{a=\"1\"b=\"2\"}", "{,a=\"1\"}", "{a=\"1\"}|=\"x\"",
                           "{a=\"\\x\"}", "{a=~\"(\"}", "{a=\"1\",,}", "{a==\"1\"}"}) {
    EXPECT_THAT(matchers_of(text), ElementsAre("error")) << text;
  }
  std::string many = "{";
  for (int i = 0; i < 65; ++i) many += "a=\"1\",";
  EXPECT_THAT(matchers_of(many + "}"), ElementsAre("error"));
}

TEST(LogPageEnd, ComesBackAsItWas) {
  for (const CustomerId& customer :
       {CustomerId::parse("cliente-a").value(), CustomerId::provider()}) {
    const LogPageEnd cursor{customer, store::LogDirection::kBackward, {UINT64_MAX, 7}};
    const auto read = decode_cursor(encode(cursor));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->customer, customer);
    EXPECT_EQ(read->direction, cursor.direction);
    EXPECT_EQ(read->place, cursor.place);
  }
}

TEST(LogPageEnd, WhatIsCutOrMadeUpIsRefused) {
  const std::string text =
      encode({CustomerId::parse("cliente-a").value(), store::LogDirection::kForward, {1, 2}});
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = other[i] == '0' ? '1' : '0';
    EXPECT_FALSE(decode_cursor(other).has_value()) << i;
    EXPECT_FALSE(decode_cursor(text.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(decode_cursor(text + "00").has_value());
  EXPECT_FALSE(decode_cursor("not hex").has_value());
  EXPECT_FALSE(decode_cursor(std::string(1U << 20U, '0')).has_value());
}

}  // namespace
}  // namespace vigia::storage::api
