#include "libs/promql/text.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace vigia::promql {
namespace {

TEST(Text, StringsAreUnquotedAsGoDoes) {
  const struct {
    std::string_view text;
    std::optional<std::string> value;
  } table[] = {
      {R"("")", ""},
      {R"("a\"b\\c")", "a\"b\\c"},
      {R"('a\'b"c')", "a'b\"c"},
      {R"("\a\b\f\n\r\t\v")", "\a\b\f\n\r\t\v"},
      {R"("\x41\101")", "AA"},
      {R"("\xfe")", "\xfe"},
      {R"("\u00f1\U0001F7E2")", "ñ🟢"},
      {R"(`a\n"b'`)", R"(a\n"b')"},
      {"`a\nb`", "a\nb"},
      {R"("a)", std::nullopt},
      {R"("a')", std::nullopt},
      {"\"", std::nullopt},
      {"\"a\nb\"", std::nullopt},
      {R"("a"b")", std::nullopt},
      {"`a`b`", std::nullopt},
      {R"("\q")", std::nullopt},
      {R"("\'")", std::nullopt},
      {R"("\x4")", std::nullopt},
      {R"("\400")", std::nullopt},
      {R"("\18")", std::nullopt},
      {R"("\ud800")", std::nullopt},
      {R"("\U00110000")", std::nullopt},
  };
  for (const auto& one : table) EXPECT_EQ(unquote(one.text), one.value) << one.text;
}

TEST(Text, WhatIsQuotedReadsBackByteForByte) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& text : {std::string(), all, std::string("ñ€🟢"),
                                  std::string("\xEF\xBF\xBD"), std::string("\"\\\n'`")}) {
    std::string quoted;
    append_quoted(quoted, text);
    EXPECT_EQ(unquote(quoted), text) << quoted;
    EXPECT_EQ(quoted.find('\n'), std::string::npos);
  }
}

TEST(Text, NumbersAreThoseOfPrometheus) {
  const struct {
    const char* text;
    std::optional<double> in_2;
    std::optional<double> in_3;
  } table[] = {
      {"0", 0, 0},
      {"1.5e3", 1500, 1500},
      {".5", 0.5, 0.5},
      {"5.", 5, 5},
      {"0x1F", 31, 31},
      {"0X1f", 31, 31},
      {"017", 15, 15},
      {"08", 8, 8},
      {"1_000", std::nullopt, 1000},
      {"0x1_f", std::nullopt, 31},
      {"1__0", std::nullopt, std::nullopt},
      {"1_", std::nullopt, std::nullopt},
      {"1_e2", std::nullopt, std::nullopt},
      {"1e_2", std::nullopt, std::nullopt},
      {"1e2_0", std::nullopt, 1e20},
      {"0x_e", std::nullopt, 14},
      {"_1", std::nullopt, std::nullopt},
      {"1e400", std::nullopt, std::nullopt},
      {"1e-400", 0, 0},
      {"0x", std::nullopt, std::nullopt},
      {"0x1.8", std::nullopt, std::nullopt},
      {"1e", std::nullopt, std::nullopt},
      {"1.2.3", std::nullopt, std::nullopt},
      {"-1", std::nullopt, std::nullopt},
      {"", std::nullopt, std::nullopt},
      {"infinity", std::nullopt, std::nullopt},
      {"iNf", std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()},
  };
  for (const auto& one : table) {
    EXPECT_EQ(parse_number(one.text, Dialect::kPrometheus2), one.in_2) << one.text;
    EXPECT_EQ(parse_number(one.text, Dialect::kPrometheus3), one.in_3) << one.text;
  }
  EXPECT_TRUE(std::isnan(*parse_number("NAN", Dialect::kPrometheus2)));
}

TEST(Text, NumbersReadBackAsTheyWere) {
  for (const double value : {0.0, 0.1, 1e22, 5e-324, 1.7976931348623157e308, 123456789.0,
                             std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(parse_number(format_number(value), Dialect::kPrometheus2), value);
  }
}

TEST(Text, Names) {
  for (const auto* name : {"a", "_", "A_9"}) EXPECT_TRUE(is_label_name(name)) << name;
  for (const auto* name : {"", "9a", "a.b", "ñ", "a b", "a-b", "a:b"}) {
    EXPECT_FALSE(is_label_name(name)) << name;
  }
}

}  // namespace
}  // namespace vigia::promql
