#include "libs/promql/internal/regex_budget.hpp"

#include <gtest/gtest.h>

namespace vigia::promql::internal {
namespace {

using Verdict = RegexBudget::Verdict;

TEST(RegexBudget, SaysWhetherAnEmptyTextPasses) {
  const struct {
    const char* regex;
    Verdict verdict;
  } table[] = {
      {"", Verdict::kTakesEmpty},
      {".*", Verdict::kTakesEmpty},
      {".+", Verdict::kNeedsText},
      {"a", Verdict::kNeedsText},
      {"a|b", Verdict::kNeedsText},
      {"a|", Verdict::kTakesEmpty},
      {"|a", Verdict::kTakesEmpty},
      {"a||b", Verdict::kTakesEmpty},
      {R"(a\.b|c\-d)", Verdict::kNeedsText},
      {"(a|b)?", Verdict::kTakesEmpty},
      {"x*", Verdict::kTakesEmpty},
      {"[0-9]+", Verdict::kNeedsText},
      {"^$", Verdict::kTakesEmpty},
      {"(", Verdict::kUnreadable},
      {"a{2,1}", Verdict::kUnreadable},
      {R"(\8)", Verdict::kUnreadable},
      {"(?=a)", Verdict::kUnreadable},
      {"(x{1000}){1000}", Verdict::kUnreadable},
      {R"((\pL{100}){9})", Verdict::kTooLarge},
  };
  for (const auto& one : table) {
    RegexBudget budget;
    EXPECT_EQ(budget.look_at(one.regex), one.verdict) << one.regex;
  }
}

TEST(RegexBudget, ListsOfWordsCostNothing) {
  RegexBudget budget;
  std::string list = "node-0.example.org";
  for (int i = 1; i < 10'000; ++i) list += "|node-" + std::to_string(i) + ".example.org";
  for (int i = 0; i < 10; ++i) EXPECT_EQ(budget.look_at(list), Verdict::kNeedsText);
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
  EXPECT_EQ(budget.look_at("(a)" + std::string(kRegexBytesMax, '?')), Verdict::kTooLarge);
  EXPECT_EQ(budget.look_at("(a)"), Verdict::kNeedsText);
}

}  // namespace
}  // namespace vigia::promql::internal
