#include "libs/wire/otlp/attributes.hpp"

#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <opentelemetry/proto/common/v1/common.pb.h>

#include "libs/wire/otlp/utf8.hpp"

namespace vigia::wire::otlp {
namespace {

using opentelemetry::proto::common::v1::AnyValue;

std::string text_of(const AnyValue& value) {
  std::string out = "before ";
  append_value_text(out, value.SerializeAsString());
  EXPECT_EQ(is_empty_value(value.SerializeAsString()), out.size() == 7);
  return out.substr(7);
}

TEST(ValueText, FollowsTheRulesForAttributesThatAreNoStrings) {
  AnyValue value;
  EXPECT_EQ(text_of(value), "");
  value.set_string_value("as it is \"x\"");
  EXPECT_EQ(text_of(value), "as it is \"x\"");
  value.set_bool_value(false);
  EXPECT_EQ(text_of(value), "false");
  value.set_int_value(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(text_of(value), "-9223372036854775808");
  value.set_double_value(1.5);
  EXPECT_EQ(text_of(value), "1.5");
  value.set_double_value(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(text_of(value), "NaN");
  value.set_bytes_value("hello");
  EXPECT_EQ(text_of(value), "aGVsbG8=");
}

TEST(ValueText, WritesArraysAndListsAsJson) {
  AnyValue value;
  value.mutable_array_value()->add_values()->set_string_value("a\"b\n");
  value.mutable_array_value()->add_values()->set_int_value(7);
  value.mutable_array_value()->add_values();
  EXPECT_EQ(text_of(value), R"(["a\"b\n",7,null])");
  AnyValue list;
  auto* entry = list.mutable_kvlist_value()->add_values();
  entry->set_key("k");
  *entry->mutable_value() = value;
  EXPECT_EQ(text_of(list), R"({"k":["a\"b\n",7,null]})");
}

// D30: JSON has no such numbers; a trace with one could not be shown.
TEST(ValueText, NumbersThatJsonDoesNotHaveAreStringsInside) {
  AnyValue value;
  auto* array = value.mutable_array_value();
  array->add_values()->set_double_value(1.5);
  array->add_values()->set_double_value(std::numeric_limits<double>::quiet_NaN());
  array->add_values()->set_double_value(-std::numeric_limits<double>::infinity());
  auto* entry = array->add_values()->mutable_kvlist_value()->add_values();
  entry->set_key("n");
  entry->mutable_value()->set_double_value(std::numeric_limits<double>::infinity());
  EXPECT_EQ(text_of(value), R"([1.5,"NaN","-Infinity",{"n":"Infinity"}])");
}

TEST(ValueText, AMapIsTheSameInWhateverOrderItsKeysCome) {
  AnyValue value;
  for (const char* key : {"b", "a", "c"}) {
    auto* entry = value.mutable_kvlist_value()->add_values();
    entry->set_key(key);
    entry->mutable_value()->set_int_value(1);
  }
  EXPECT_EQ(text_of(value), R"({"a":1,"b":1,"c":1})");
}

TEST(ValueText, OfAValueGivenTwiceTheLastCounts) {
  AnyValue first;
  first.set_string_value("first");
  AnyValue second;
  second.set_int_value(2);
  std::string out;
  append_value_text(out, first.SerializeAsString() + second.SerializeAsString());
  EXPECT_EQ(out, "2");
}

AnyValue nested(int depth) {
  AnyValue value;
  value.set_int_value(1);
  for (int i = 1; i < depth; ++i) {
    AnyValue outer;
    *outer.mutable_array_value()->add_values() = value;
    value = outer;
  }
  return value;
}

TEST(Validity, NestingIsBounded) {
  EXPECT_TRUE(is_valid_any_value(nested(kAnyValueDepthMax).SerializeAsString()));
  EXPECT_FALSE(is_valid_any_value(nested(kAnyValueDepthMax + 1).SerializeAsString()));
  const std::string deep = nested(90).SerializeAsString();  // the reference serialises no deeper
  EXPECT_FALSE(is_valid_any_value(deep));
  std::string out;
  append_value_text(out, deep);
  EXPECT_LT(out.size(), 1000U);
}

TEST(Validity, TextsAreUtf8) {
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("ñandú 🟢"));
  EXPECT_FALSE(is_utf8("\xc3\x28"));
  EXPECT_FALSE(is_utf8(std::string(100, 'a') + "\xff"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));  // half of a surrogate pair
  AnyValue value;
  value.mutable_kvlist_value()->add_values()->set_key("\xff");
  EXPECT_FALSE(is_valid_any_value(value.SerializeAsString()));
}

}  // namespace
}  // namespace vigia::wire::otlp
