#include "libs/promql/internal/go_regex.hpp"

#include <string>

#include <gtest/gtest.h>

namespace vigia::promql::internal {
namespace {

std::string groups(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += '(';
  text += 'a';
  for (int i = 0; i < depth; ++i) text += ')';
  return text;
}

TEST(GoRegex, WhatBothTakeIsNotRefused) {
  for (const std::string regex :
       {"", "a|b", R"(a\.b\\C)", R"(\\Q)", R"(\Qa.b\E)", R"(\Q\C(\E)", R"([\\C])", "[]C]", "[(]",
        "(?P<name_1>a)", R"(\p{Greek}\PL\p{^Latin})", "[[:word:]\\d(]", R"(\Q\E\Qx\E)", "[^]]",
        "x{1,5}?", "(?i)a(?:b)"}) {
    for (const Dialect dialect : {Dialect::kPrometheus2, Dialect::kPrometheus3}) {
      EXPECT_FALSE(is_refused_by_go(regex, dialect)) << regex;
    }
  }
  EXPECT_FALSE(is_refused_by_go(groups(240), Dialect::kPrometheus3));
  std::string beside;
  for (int i = 0; i < 1'000; ++i) beside += "(a)";
  EXPECT_FALSE(is_refused_by_go(beside, Dialect::kPrometheus3));
}

TEST(GoRegex, WhatGoAloneRefusesIsRefused) {
  for (const std::string regex : {R"(\C)", R"(a\C+)", R"((\C))", R"([a]\C)", R"(\Qabc)", R"(\Q\C)",
                                  R"(\Qa\Eb\Q)", "(?P<ñ>a)", "(?P<a b>a)"}) {
    for (const Dialect dialect : {Dialect::kPrometheus2, Dialect::kPrometheus3}) {
      EXPECT_TRUE(is_refused_by_go(regex, dialect)) << regex;
    }
  }
  EXPECT_TRUE(is_refused_by_go(groups(241), Dialect::kPrometheus3));
}

TEST(GoRegex, ScriptsThatTheOlderGoDoesNotKnow) {
  for (const std::string regex : {R"(\p{Kawi})", R"(\P{^Toto})", R"([a\p{Vithkuqi}])"}) {
    EXPECT_TRUE(is_refused_by_go(regex, Dialect::kPrometheus2)) << regex;
    EXPECT_FALSE(is_refused_by_go(regex, Dialect::kPrometheus3)) << regex;
  }
}

TEST(GoRegex, HalfOfSomethingEnds) {
  for (const std::string regex :
       {"\\", "[", "[^", "[]", "[[:", "[a\\", "(?P<", "\\p{", "\\p", "("}) {
    EXPECT_FALSE(is_refused_by_go(regex, Dialect::kPrometheus3)) << regex;
  }
}

}  // namespace
}  // namespace vigia::promql::internal
