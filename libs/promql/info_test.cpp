#include "libs/promql/info.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/promql/fence.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"

namespace vigia::promql {
namespace {

using ::testing::HasSubstr;

const CustomerId kA = *CustomerId::parse("a");

std::string written(std::string_view text) {
  auto expr = parse(text, Dialect::kPrometheus3);
  if (!expr) return expr.error().message;
  write_info_selectors(**expr);
  return print(**expr);
}

std::string fenced(std::string_view text, const Language& language = Dialect::kPrometheus3) {
  auto expr = parse(text, language);
  if (!expr) return expr.error().message;
  const auto result = fenced_text(kA, **expr, language);
  return result ? *result : result.error().message;
}

TEST(Info, WhatItReadsIsWrittenOut) {
  EXPECT_EQ(written("info(x)"), "info(x, {__name__=\"target_info\"})");
  EXPECT_EQ(written("sum(info(x, {a=~\".+\"}))"),
            "sum(info(x, {__name__=\"target_info\",a=~\".+\"}))");
  EXPECT_EQ(written("info(x, {__name__!~\"build.+\",a=\"b\"})"),
            "info(x, {__name__!~\"build.+\",a=\"b\"})");
  EXPECT_EQ(written("info(x, {\"build_info\"})"), "info(x, {\"build_info\"})");
  EXPECT_EQ(written("info(info(x), {b=\"c\"})"),
            "info(info(x, {__name__=\"target_info\"}), {__name__=\"target_info\",b=\"c\"})");
}

TEST(Info, BothOfItsSelectorsAreFenced) {
  EXPECT_EQ(fenced("sum by (a) (info(rate(x[5m]), {a=~\".+\"}))"),
            "sum by (a) (info(rate(x{customer_id=\"a\"}[5m]), "
            "{__name__=\"target_info\",a=~\".+\",customer_id=\"a\"}))");
  auto expr = parse("info(x)", Dialect::kPrometheus3);
  EXPECT_FALSE(is_fenced(kA, **expr)) << "what is not written has no matcher";
  fence(kA, **expr);
  EXPECT_TRUE(is_fenced(kA, **expr));
}

TEST(Info, IsRefusedWhereTheFenceWouldChangeIt) {
  // All labels of target_info, or only the fence's.
  for (const auto* text :
       {"info(x)", "info(x, {})", "info(x, {\"build_info\"})", "info(x, {a=~\".*\"})",
        "info(x, {a!=\"b\"})", "info(x, {customer_id=\"a\"})"}) {
    EXPECT_THAT(fenced(text), HasSubstr("with the labels that it is to add")) << text;
  }
  EXPECT_EQ(fenced("info(x, {a!=\"\"})"),
            "info(x{customer_id=\"a\"}, {__name__=\"target_info\",a!=\"\",customer_id=\"a\"})");
}

TEST(Info, IsRefusedOfWhatHasLostItsCustomer) {
  for (const auto* base :
       {"sum by (job) (x)", "sum(x)", "sum without (customer_id) (x)", "vector(1)", "absent(x)",
        "label_replace(x, \"customer_id\", \"b\", \"\", \"\")", "x / on (job) y",
        "x * ignoring (customer_id) y", "x * on (job) group_left (customer_id) y",
        "count_values(\"customer_id\", x)", "x or vector(1)", "x + fill (0) y"}) {
    EXPECT_THAT(fenced("info(" + std::string(base) + ", {a=\"b\"})"),
                HasSubstr("still has the label customer_id"))
        << base;
  }
  for (const auto* base :
       {"x", "rate(x[5m])", "sum by (job, customer_id) (x)", "sum without (le) (x)", "-x", "x * 2",
        "topk(3, x)", "x / y", "x * on (job) group_left () y", "x and on () y", "x or y",
        "(max_over_time(x[5m:1m]))", "info(x, {c=\"d\"})", "round(x)"}) {
    EXPECT_THAT(fenced("info(" + std::string(base) + ", {a=\"b\"})"), HasSubstr("a=\"b\","))
        << base;
  }
}

}  // namespace
}  // namespace vigia::promql
