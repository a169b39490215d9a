#include "services/collector/processors/config_value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/edit/value.hpp"

namespace vigia::collector::processors {
namespace {

using wire::edit::read_value;
using wire::edit::ValueKind;

ValueKind kind_of(const std::string& yaml) {
  const auto file = service::ConfigFile::parse("v: " + yaml, "c.yaml");
  const auto value = read_any_value(file->root().child("v"));
  EXPECT_TRUE(value.has_value()) << yaml;
  return value ? read_value(*value).kind : ValueKind::kEmpty;
}

TEST(ConfigValue, HasTheTypeThatYamlGivesIt) {
  for (const char* text : {"'12'", "\"true\"", "abc", "1.2.3", "12a", "inf", "nan", "+", "''"})
    EXPECT_EQ(kind_of(text), ValueKind::kText) << text;
  for (const char* text : {"12", "-5", "+7", "0"})
    EXPECT_EQ(kind_of(text), ValueKind::kInt) << text;
  for (const char* text : {"0.5", "-1e3", ".5", ".inf", "-.inf", ".nan"})
    EXPECT_EQ(kind_of(text), ValueKind::kDouble) << text;
  for (const char* text : {"true", "False"}) EXPECT_EQ(kind_of(text), ValueKind::kBool) << text;
}

TEST(ConfigValue, WhatIsNotGivenIsNothingAndAListIsAMistake) {
  const auto file = service::ConfigFile::parse("a:\nb: [1]\nc: {d: 1}", "c.yaml");
  EXPECT_EQ(read_any_value(file->root().child("a")), std::nullopt);
  EXPECT_EQ(read_any_value(file->root().child("none")), std::nullopt);
  EXPECT_EQ(read_any_value(file->root().child("b")), std::nullopt);
  EXPECT_EQ(read_any_value(file->root().child("c")), std::nullopt);
  EXPECT_THAT(file->finish().error().message, ::testing::HasSubstr("c.yaml:2: b: a text"));
}

}  // namespace
}  // namespace vigia::collector::processors
