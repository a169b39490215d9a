#include "libs/promql/copy.hpp"

#include <string>

#include <gtest/gtest.h>

#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/visit.hpp"

namespace vigia::promql {
namespace {

TEST(Copy, IsTheSameTreeAndNothingOfItIsShared) {
  for (const std::string text :
       {"1h + -(x{a=\"b\"} offset 5m)", "count_values by (z) (\"z\", x @ 100.000)",
        "max_over_time(rate(x[5m])[1h:1m] @ end() offset -1m)", "x / on (a) group_left (b) y",
        "label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")", "topk without (a) (2, x > bool 1)",
        "rate(x[2 * step()] anchored) + fill (0) max_over_time(y[1h:step()] offset (1h))",
        "time()"}) {
    const auto expr = parse(text, Dialect::kPrometheus3);
    ASSERT_TRUE(expr.has_value()) << text;
    Expr copy = copy_of(**expr);
    EXPECT_EQ(print(copy), print(**expr));
    EXPECT_EQ(copy.type, (*expr)->type);
    EXPECT_EQ(copy.depth, (*expr)->depth);
    const std::string before = print(**expr);
    for_each_selector(copy, [](Selector& selector) { selector.name = "changed"; });
    EXPECT_EQ(print(**expr), before);
  }
}

TEST(Copy, OfASelectorWhichSeriesItReads) {
  for (const std::string shift : {"", " offset 1h", " @ end() offset (2 * step())"}) {
    for (const std::string range : {"", "[5m]", "[2 * step()] anchored", " smoothed"}) {
      const auto expr = parse("x{a=\"b\"}" + range + shift, Dialect::kPrometheus3);
      ASSERT_TRUE(expr.has_value()) << range << shift;
      EXPECT_EQ(print(bare_of(std::get<Selector>((*expr)->node))), "x{a=\"b\"}");
    }
  }
}

}  // namespace
}  // namespace vigia::promql
