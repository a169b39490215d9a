#include "services/router/api/prometheus/expression_tree.hpp"

#include <string>

#include <gtest/gtest.h>

#include "libs/promql/parser.hpp"

namespace vigia::router::api::prometheus {
namespace {

std::string tree(const std::string& text) {
  const auto expr = promql::parse(text, promql::Dialect::kPrometheus2);
  return expr ? expression_tree(**expr) : expr.error().message;
}

constexpr const char* kA =
    R"({"type":"vectorSelector","name":"a","offset":0,"timestamp":null,"startOrEnd":null,)"
    R"("matchers":[{"name":"__name__","value":"a","type":"="}]})";

TEST(ExpressionTree, Selectors) {
  EXPECT_EQ(tree("a"), kA);
  EXPECT_EQ(tree(R"(a{x="1",y!~"2"}[5m] offset -1m @ 1.5)"),
            R"({"type":"matrixSelector","name":"a","range":300000,"offset":-60000,)"
            R"("timestamp":1500,"startOrEnd":null,"matchers":[{"name":"x","value":"1","type":"="},)"
            R"({"name":"y","value":"2","type":"!~"},{"name":"__name__","value":"a","type":"="}]})");
  EXPECT_EQ(tree("a[1h:] @ end()"),
            R"({"type":"subquery","range":3600000,"step":0,"offset":0,"timestamp":null,)"
            R"("startOrEnd":"end","expr":)" +
                std::string(kA) + "}");
}

TEST(ExpressionTree, NumbersHaveTheirSign) {
  for (const auto& [text, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"1", "1"},
           {"-1", "-1"},
           {"--1", "1"},
           {"+0x1f", "31"},
           {"1e21", "1000000000000000000000"},
           {"NaN", "NaN"},
           {"-Inf", "-Inf"},
           {"1e-7", "0.0000001"}}) {
    EXPECT_EQ(tree(text), std::string(R"({"type":"numberLiteral","val":")") + value + R"("})");
  }
  EXPECT_EQ(tree("-(1)"), R"({"type":"unaryExpr","op":"-","expr":{"type":"parenExpr","expr":)"
                          R"({"type":"numberLiteral","val":"1"}}})");
  EXPECT_LT(tree("4.9406564584124654e-324").size(), 1'200U);
}

TEST(ExpressionTree, Operators) {
  const std::string a(kA);
  EXPECT_EQ(tree("a * on (x, y) group_left (z) a"),
            R"({"type":"binaryExpr","op":"*","lhs":)" + a + R"(,"rhs":)" + a +
                R"(,"matching":{"card":"many-to-one","labels":["x","y"],"on":true,)"
                R"("include":["z"]},"bool":false})");
  EXPECT_EQ(tree("a or a"), R"({"type":"binaryExpr","op":"or","lhs":)" + a + R"(,"rhs":)" + a +
                                R"(,"matching":{"card":"many-to-many","labels":[],"on":false,)"
                                R"("include":[]},"bool":false})");
  EXPECT_EQ(tree("a > bool 1"), R"({"type":"binaryExpr","op":">","lhs":)" + a +
                                    R"(,"rhs":{"type":"numberLiteral","val":"1"},)"
                                    R"("matching":null,"bool":true})");
}

TEST(ExpressionTree, CallsAndAggregations) {
  const std::string a(kA);
  EXPECT_EQ(tree("round(a)"),
            R"({"type":"call","func":{"name":"round","argTypes":["vector","scalar"],"variadic":1,)"
            R"("returnType":"vector"},"args":[)" +
                a + "]}");
  EXPECT_EQ(tree(R"(count_values without (x) ("v", a))"),
            R"({"type":"aggregation","op":"count_values","expr":)" + a +
                R"(,"param":{"type":"stringLiteral","val":"v"},"grouping":["x"],"without":true})");
  EXPECT_EQ(tree("sum(a)"), R"({"type":"aggregation","op":"sum","expr":)" + a +
                                R"(,"param":null,"grouping":[],"without":false})");
}

}  // namespace
}  // namespace vigia::router::api::prometheus
