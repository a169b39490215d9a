#include "libs/promql/language.hpp"

#include <gtest/gtest.h>

#include "libs/promql/functions.hpp"

namespace vigia::promql {
namespace {

TEST(Languages, AreReadFromWhatAStoreSays) {
  EXPECT_EQ(language_of("", std::nullopt), std::nullopt);
  EXPECT_EQ(language_of("2.42.0+ds", std::nullopt)->dialect, Dialect::kPrometheus2);
  const auto old = language_of("3.5.0", "promql-experimental-functions, exemplar-storage");
  EXPECT_EQ(old->minor, 5);
  EXPECT_EQ(old->features, (LanguageFeatures{true, false, false, false}));
  const auto bare = language_of("v3.10.1-rc.1", "");
  EXPECT_EQ(bare->minor, 10);
  EXPECT_EQ(bare->features, (LanguageFeatures{false, false, false, false}));
  EXPECT_EQ(language_of("3.14.0", "promql-extended-range-selectors,promql-binop-fill-modifiers")
                ->features,
            (LanguageFeatures{false, true, true, true}));
  EXPECT_EQ(language_of("3.9.0", std::nullopt)->features, LanguageFeatures());
  EXPECT_EQ(language_of("4.1", std::nullopt)->minor, kNewestMinor);
}

TEST(Languages, WhatTwoStoresTakeIsWhatBothTake) {
  const Language newer(Dialect::kPrometheus3, 14, {true, true, false, true});
  const Language older(Dialect::kPrometheus3, 5, {true, false, true, true});
  EXPECT_EQ(common_language(newer, older),
            Language(Dialect::kPrometheus3, 5, {true, false, false, true}));
  EXPECT_EQ(common_language(older, newer), common_language(newer, older));
  const Language both = common_language(older, Dialect::kPrometheus2);
  EXPECT_EQ(both.dialect, Dialect::kPrometheus2);
  EXPECT_TRUE(both.is_for_both);
  EXPECT_TRUE(common_language(newer, both).is_for_both);
}

TEST(Languages, AreOlderByTheirNumbers) {
  EXPECT_TRUE(is_older("2.42.0", "3.5.0"));
  EXPECT_TRUE(is_older("3.5.0", "3.14.0"));
  EXPECT_FALSE(is_older("3.14.0", "3.5.0"));
  EXPECT_FALSE(is_older("3.5.1", "3.5.0")) << "they have one language";
  EXPECT_FALSE(is_older("", "3.5.0"));
}

TEST(Languages, AFunctionIsKnownWhereAllStoresHaveIt) {
  const Language old(Dialect::kPrometheus2);
  const Language both = common_language(old, Dialect::kPrometheus3);
  EXPECT_NE(find_function("holt_winters", old), nullptr);
  EXPECT_EQ(find_function("holt_winters", both), nullptr) << "3.0 took it out";
  EXPECT_EQ(find_function("mad_over_time", both), nullptr);
  EXPECT_NE(find_function("rate", both), nullptr);
}

TEST(Languages, AnExperimentalFunctionNeedsItsFlagUntilItIsStable) {
  const auto* first = find_function("first_over_time", Dialect::kPrometheus3);
  ASSERT_NE(first, nullptr);
  EXPECT_FALSE(is_enabled(*first, {Dialect::kPrometheus3, 13, {false, true, true, true}}));
  EXPECT_TRUE(is_enabled(*first, {Dialect::kPrometheus3, 13, {}}));
  EXPECT_TRUE(is_enabled(*first, {Dialect::kPrometheus3, 14, {false, true, true, true}}));
  EXPECT_EQ(first_minor_with("first_over_time"), 7);
  EXPECT_EQ(first_minor_with("nothing"), std::nullopt);
}

}  // namespace
}  // namespace vigia::promql
