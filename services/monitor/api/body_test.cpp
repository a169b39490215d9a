#include "services/monitor/api/body.hpp"

#include <gtest/gtest.h>

#include "libs/json/strict_reader.hpp"

namespace vigia::monitor::api {
namespace {

// Whoever corrects one thing at a time is refused as often as things are wrong.
TEST(BodyReader, TellsOfAllThatIsWrongAtOnceAndOfEachFieldOnce) {
  const auto body = *json::parse_json(
      R"({"name":"a\nb","is_enabled":1,"limit":11,"expires_at":"today","is_admin":true,"x":{}})");
  BodyReader reader(body);
  reader.text("id", 1, 5);
  reader.text("name", 1, 5);
  reader.optional_boolean("is_enabled");
  reader.optional_integer("limit", 0, 10);
  reader.optional_time("expires_at");
  reader.note("id", "is no id");
  reader.note("limit", "is odd");
  EXPECT_EQ(reader.problem(),
            "id: is missing; name: control characters are not allowed; is_enabled: true or false; "
            "limit: an integer from 0 to 10; expires_at: a time as in 2026-12-31T23:59:59Z; "
            "is_admin: unknown field; x: unknown field");
}

TEST(BodyReader, NamesTenAndCountsTheRest) {
  std::string text = "{";
  for (char name = 'a'; name <= 'm'; ++name) text += std::string("\"") + name + "\":1,";
  text.back() = '}';
  const auto body = *json::parse_json(text);
  const auto problem = BodyReader(body).problem();
  EXPECT_TRUE(problem.ends_with("j: unknown field; and 3 more")) << problem;
}

TEST(BodyReader, SaysNothingOfABodyThatIsRight) {
  const auto body = *json::parse_json(R"({"id":"a","limits":null})");
  BodyReader reader(body);
  EXPECT_EQ(reader.text("id", 1, 5), "a");
  EXPECT_TRUE(reader.object("limits").is_null());
  EXPECT_EQ(reader.problem(), "");
}

}  // namespace
}  // namespace vigia::monitor::api
