#include "libs/logql/fence.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/logql/parser.hpp"

namespace vigia::logql {
namespace {

const CustomerId kCustomer = *CustomerId::parse("cliente-a");

std::string fenced(const std::string& text) {
  auto expr = parse_logs(text);
  EXPECT_TRUE(expr.has_value()) << text;
  if (!expr) return {};
  EXPECT_FALSE(is_fenced(kCustomer, **expr)) << text;
  const auto made = fenced_text(kCustomer, **expr);
  EXPECT_TRUE(made.has_value()) << text << ": " << made.error().message;
  EXPECT_TRUE(is_fenced(kCustomer, **expr)) << text;
  return made ? *made : std::string();
}

TEST(LogFence, EverySelectorHasTheCustomer) {
  EXPECT_EQ(fenced("{a=\"b\"}"), "{a=\"b\",customer_id=\"cliente-a\"}");
  EXPECT_EQ(fenced("({a=\"b\"} |= \"customer_id\")"),
            "({a=\"b\",customer_id=\"cliente-a\"} |= \"customer_id\")");
  EXPECT_EQ(fenced("sum by (x) (rate({a=\"b\"}[1m])) / label_replace(count_over_time({c=\"d\"}[1m])"
                   ", \"customer_id\", \"cliente-b\", \"\", \"\") or vector(1)"),
            "sum by (x) (rate({a=\"b\",customer_id=\"cliente-a\"}[1m])) / "
            "label_replace(count_over_time({c=\"d\",customer_id=\"cliente-a\"}[1m]), "
            "\"customer_id\", \"cliente-b\", \"\", \"\") or vector(1)");
}

TEST(LogFence, TheCallersOwnMatchersStay) {
  EXPECT_EQ(fenced("{customer_id=\"cliente-b\"}"),
            "{customer_id=\"cliente-b\",customer_id=\"cliente-a\"}");
  EXPECT_EQ(fenced("{customer_id=~\"cliente-.*\"}"),
            "{customer_id=~\"cliente-.*\",customer_id=\"cliente-a\"}");
  EXPECT_EQ(fenced("{a=\"b\",customer_id!=\"cliente-a\"}"),
            "{a=\"b\",customer_id!=\"cliente-a\",customer_id=\"cliente-a\"}");
  EXPECT_EQ(fenced("{a=\"b\"} | label_format customer_id=\"cliente-b\" | customer_id=\"x\""),
            "{a=\"b\",customer_id=\"cliente-a\"} | label_format customer_id=\"cliente-b\" | "
            "customer_id=\"x\"");
}

TEST(LogFence, WhatIsFencedStaysSo) {
  auto expr = parse_logs("{customer_id=\"cliente-a\"}");
  ASSERT_TRUE(expr.has_value());
  EXPECT_TRUE(is_fenced(kCustomer, **expr));
  EXPECT_EQ(fenced_text(kCustomer, **expr).value(), "{customer_id=\"cliente-a\"}");
  EXPECT_FALSE(is_fenced(*CustomerId::parse("cliente-b"), **expr));
}

TEST(LogFence, AQueryWithoutASelectorHasNothingToFence) {
  auto expr = parse_logs("vector(1) + 1");
  ASSERT_TRUE(expr.has_value());
  EXPECT_EQ(fenced_text(kCustomer, **expr).value(), "vector(1) + 1");
}

}  // namespace
}  // namespace vigia::logql
