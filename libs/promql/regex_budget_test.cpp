#include "libs/promql/regex_budget.hpp"

#include <gtest/gtest.h>

namespace vigia::promql {
namespace {

using RegexKind = RegexBudget::RegexKind;

TEST(RegexBudget, SaysWhetherAnEmptyTextPasses) {
  const struct {
    const char* regex;
    RegexKind kind;
  } table[] = {
      {"", RegexKind::kTakesEmpty},
      {".*", RegexKind::kTakesEmpty},
      {".+", RegexKind::kNeedsText},
      {"a", RegexKind::kNeedsText},
      {"a|b", RegexKind::kNeedsText},
      {"a|", RegexKind::kTakesEmpty},
      {"|a", RegexKind::kTakesEmpty},
      {"a||b", RegexKind::kTakesEmpty},
      {R"(a\.b|c\-d)", RegexKind::kNeedsText},
      {"(a|b)?", RegexKind::kTakesEmpty},
      {"x*", RegexKind::kTakesEmpty},
      {"[0-9]+", RegexKind::kNeedsText},
      {"^$", RegexKind::kTakesEmpty},
      {"(", RegexKind::kUnreadable},
      {"a{2,1}", RegexKind::kUnreadable},
      {R"(\8)", RegexKind::kUnreadable},
      {"(?=a)", RegexKind::kUnreadable},
      {"(x{1000}){1000}", RegexKind::kUnreadable},
      {R"((\pL{100}){9})", RegexKind::kTooLarge},
  };
  for (const auto& one : table) {
    RegexBudget budget;
    EXPECT_EQ(budget.look_at(one.regex), one.kind) << one.regex;
  }
}

TEST(RegexBudget, ListsOfWordsCostNothing) {
  RegexBudget budget;
  std::string list = "node-0.example.org";
  for (int i = 1; i < 10'000; ++i) list += "|node-" + std::to_string(i) + ".example.org";
  for (int i = 0; i < 10; ++i) EXPECT_EQ(budget.look_at(list), RegexKind::kNeedsText);
  EXPECT_TRUE(budget.charge(std::string(kRegexBytesMax, 'x')));
}

TEST(RegexBudget, BytesAndClassesAreSharedByAll) {
  RegexBudget bytes;
  EXPECT_TRUE(bytes.charge(std::string(kRegexBytesMax - 1, 'x')));
  EXPECT_FALSE(bytes.charge("xx"));
  EXPECT_TRUE(bytes.charge("x"));
  EXPECT_FALSE(bytes.charge("x"));
  RegexBudget classes;
  for (std::size_t i = 0; i < kRegexClassesMax / 2; ++i) EXPECT_TRUE(classes.charge("[a]\\pL"));
  EXPECT_FALSE(classes.charge("[a]"));
  EXPECT_TRUE(classes.charge("a"));
  EXPECT_TRUE(classes.charge("\\\\p")) << "a backslash, then a letter: no class";
}

TEST(RegexBudget, WhatIsRefusedIsNotCharged) {
  RegexBudget budget;
  EXPECT_EQ(budget.look_at("(a)" + std::string(kRegexBytesMax, '?')), RegexKind::kTooLarge);
  EXPECT_EQ(budget.look_at("(a)"), RegexKind::kNeedsText);
}

}  // namespace
}  // namespace vigia::promql
