#include <cmath>

#include <gtest/gtest.h>

#include "libs/json/strict_reader.hpp"
#include "libs/json/writer.hpp"

namespace vigia::json {
namespace {

TEST(Json, ReadsMembersOfTheRightTypeOnly) {
  const auto value = parse_json(R"({"a":"x","b":7,"c":1.5,"d":true,"e":[1,2],"f":null})");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ((*value)["a"].text(), "x");
  EXPECT_EQ((*value)["a"].integer(), std::nullopt);
  EXPECT_EQ((*value)["b"].integer(), 7);
  EXPECT_EQ((*value)["b"].number(), 7.0);
  EXPECT_EQ((*value)["c"].number(), 1.5);
  EXPECT_EQ((*value)["d"].boolean(), true);
  EXPECT_EQ((*value)["e"].items().size(), 2U);
  EXPECT_TRUE((*value)["f"].is_null());
  EXPECT_TRUE(value->has("f"));
  EXPECT_FALSE(value->has("g"));
  EXPECT_TRUE((*value)["g"]["deeper"].is_null());
}

TEST(Json, RefusesWhatIsNotOneGoodDocument) {
  for (const auto* text : {"", "{", "{}x", R"({"a":1,"a":2})", R"(["\ud800"])", "[\"\xff\"]",
                           "[18446744073709551615]", "nul"}) {
    EXPECT_FALSE(parse_json(text).has_value()) << text;
  }
}

TEST(Json, RefusesDeepNesting) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_FALSE(parse_json(deep).has_value());
}

TEST(Json, WritesWhatItReads) {
  JsonWriter writer;
  writer.begin_object()
      .member("text", "a \"quoted\"\n\x01 línea")
      .member("integer", std::int64_t{-5})
      .member_number("nan", std::nan(""))
      .member_time("never", 0);
  writer.key("list").begin_array().boolean(true).null().number(0.1).end_array().end_object();
  const auto value = parse_json(writer.text());
  ASSERT_TRUE(value.has_value()) << writer.text();
  EXPECT_EQ((*value)["text"].text(), "a \"quoted\"\n\x01 línea");
  EXPECT_EQ((*value)["integer"].integer(), -5);
  EXPECT_TRUE((*value)["nan"].is_null());
  EXPECT_TRUE((*value)["never"].is_null());
  EXPECT_EQ((*value)["list"].items()[2].number(), 0.1);
}

TEST(JsonWriter, TimesAreWholeSecondsAndZeroIsNull) {
  JsonWriter writer;
  writer.begin_object().member_time("at", 1'795'575'845'123).member_time("never", 0).end_object();
  EXPECT_EQ(writer.take(), R"({"at":"2026-11-25T03:04:05Z","never":null})");
}

}  // namespace
}  // namespace vigia::json
