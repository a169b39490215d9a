#include "libs/promql/printer.hpp"

#include <string>

#include <gtest/gtest.h>

#include "libs/promql/fence.hpp"
#include "libs/promql/info.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/query_times.hpp"
#include "libs/promql/testing/grammar.hpp"

namespace vigia::promql {
namespace {

class RandomExpressions : public testing::TestWithParam<Dialect> {};

// What is printed reads back as itself, fenced and unfenced, for whatever the grammar can make.
TEST_P(RandomExpressions, PrintAndParseAreInverse) {
  const CustomerId customer = *CustomerId::parse("cliente-a");
  std::size_t read = 0;
  for (std::uint32_t seed = 0; seed < 5'000; ++seed) {
    Grammar grammar(seed, GetParam());
    const std::string text = grammar.expression();
    const auto expr = parse(text, GetParam());
    if (!expr) continue;
    ++read;
    const std::string printed = print(**expr);
    const auto again = parse(printed, GetParam());
    ASSERT_TRUE(again.has_value())
        << "seed " << seed << ": " << text << "\nprinted " << printed << "\n"
        << again.error().message;
    ASSERT_EQ(print(**again), printed) << "seed " << seed;
    if (!fold_query_times(**again, {1'000, 601'000}, std::chrono::seconds(60))) continue;
    write_info_selectors(**again);
    if (!check_info_can_be_fenced(**again)) continue;
    const auto fenced = fenced_text(customer, **again, GetParam());
    ASSERT_TRUE(fenced.has_value()) << "seed " << seed << ": " << printed;
  }
  EXPECT_GT(read, 4'000U);  // else the grammar no longer makes what the parser takes
}

// What is changed at random is mostly refused; what is not prints and reads back all the same.
TEST_P(RandomExpressions, WhatIsReadOfMutatedOnesReadsBack) {
  std::size_t read = 0;
  for (std::uint32_t seed = 0; seed < 5'000; ++seed) {
    Grammar grammar(seed, GetParam());
    const std::string text = grammar.mutated(grammar.expression());
    const auto expr = parse(text, GetParam());
    if (!expr) continue;
    ++read;
    const std::string printed = print(**expr);
    const auto again = parse(printed, GetParam());
    ASSERT_TRUE(again.has_value()) << "seed " << seed << ": " << text << "\nprinted " << printed;
    ASSERT_EQ(print(**again), printed) << "seed " << seed;
  }
  EXPECT_GT(read, 300U);
}

INSTANTIATE_TEST_SUITE_P(BothDialects, RandomExpressions,
                         testing::Values(Dialect::kPrometheus2, Dialect::kPrometheus3));

}  // namespace
}  // namespace vigia::promql
