#include "libs/promql/fence.hpp"

#include <string>

#include <gtest/gtest.h>

#include "libs/promql/parser.hpp"
#include "libs/promql/visit.hpp"

namespace vigia::promql {
namespace {

const CustomerId kA = *CustomerId::parse("a");

std::string fenced(std::string_view text, Dialect dialect = Dialect::kPrometheus2) {
  auto expr = parse(text, dialect);
  if (!expr) return expr.error().message;
  const auto result = fenced_text(kA, **expr, dialect);
  return result ? *result : result.error().message;
}

TEST(Fence, AddsToTheCallersMatchersAndNeverReplacesThem) {  // C14
  EXPECT_EQ(fenced("up{customer_id!=\"a\"}"), "up{customer_id!=\"a\",customer_id=\"a\"}");
  EXPECT_EQ(fenced("up{customer_id=~\"a|b\"}"), "up{customer_id=~\"a|b\",customer_id=\"a\"}");
  EXPECT_EQ(fenced("up{customer_id=\"\"}"), "up{customer_id=\"\",customer_id=\"a\"}");
  EXPECT_EQ(fenced("up{customer_id=\"b\"}"), "up{customer_id=\"b\",customer_id=\"a\"}");
  EXPECT_EQ(fenced("up{customer_id=\"a\"}"), "up{customer_id=\"a\"}");
}

TEST(Fence, ReachesEverySelector) {  // C15
  EXPECT_EQ(
      fenced("label_replace(up,\"customer_id\",\"a\",\"\",\"\") or max_over_time(up{job=\"x\"}"
             "[5m:1m] offset 1h) or absent(up{customer_id=\"b\"}) or {__name__=~\".+\"} @ end()"),
      "label_replace(up{customer_id=\"a\"}, \"customer_id\", \"a\", \"\", \"\") or "
      "max_over_time(up{job=\"x\",customer_id=\"a\"}[5m:1m] offset 1h) or "
      "absent(up{customer_id=\"b\",customer_id=\"a\"}) or "
      "{__name__=~\".+\",customer_id=\"a\"} @ end()");
}

TEST(Fence, ReachesEveryKindOfNode) {
  const auto* const text =
      "-(sum by (x) (rate(a[5m])) / on (x) group_left (y) topk(scalar(b), c offset 1h)) > bool "
      "quantile_over_time(scalar(d), e[1h:5m] @ start()) unless (f and g[5m:])";
  auto expr = parse(
      "-(sum by (x) (rate(a[5m])) / on (x) group_left (y) topk(scalar(b), c offset "
      "1h)) > bool quantile_over_time(scalar(d), e[1h:5m] @ start()) unless (f and g)",
      Dialect::kPrometheus2);
  EXPECT_FALSE(parse(text, Dialect::kPrometheus2).has_value());  // a range is no operand
  ASSERT_TRUE(expr.has_value());
  EXPECT_FALSE(is_fenced(kA, **expr));
  fence(kA, **expr);
  EXPECT_TRUE(is_fenced(kA, **expr));
  std::string names;
  for_each_selector(**expr, [&](Selector& selector) {
    names += selector.name;
    EXPECT_EQ(selector.matchers.back(), (Matcher{MatchType::kEqual, "customer_id", "a"}));
  });
  EXPECT_EQ(names, "abcdefg");
}

TEST(Fence, QuotedNamesAndQuotedCustomerLabels) {
  EXPECT_EQ(fenced("{\"x.y\"}", Dialect::kPrometheus3), "{\"x.y\",customer_id=\"a\"}");
  EXPECT_EQ(fenced("up{\"customer_id\"=\"b\"}", Dialect::kPrometheus3),
            "up{customer_id=\"b\",customer_id=\"a\"}");
}

TEST(Fence, TextThatLooksLikeAMatcherStaysText) {
  EXPECT_EQ(fenced("up{x=\"\\\",customer_id=\\\"a\"}"),
            "up{x=\"\\\",customer_id=\\\"a\",customer_id=\"a\"}");
  EXPECT_EQ(fenced("up{x=`\",customer_id=\"a`} # {customer_id=\"a\"}"),
            "up{x=\"\\\",customer_id=\\\"a\",customer_id=\"a\"}");
}

TEST(Fence, NothingToFenceIsFine) {  // C17
  EXPECT_EQ(fenced("1+1"), "1 + 1");
  EXPECT_EQ(fenced("vector(1)"), "vector(1)");
}

TEST(Fence, SelectorsOfMatchParameters) {
  const auto selectors = parse_series_selectors({"{job=\"x\"}"}, Dialect::kPrometheus2);
  const auto text = fenced_text(kA, selectors->front(), Dialect::kPrometheus2);
  EXPECT_EQ(text, "{job=\"x\",customer_id=\"a\"}");
}

TEST(Fence, IsFencedWantsTheMatcherInEachSelector) {
  const auto expr = parse("up{customer_id=\"a\"} + up{customer_id=~\"a\"}", Dialect::kPrometheus2);
  EXPECT_FALSE(is_fenced(kA, **expr));
}

}  // namespace
}  // namespace vigia::promql
