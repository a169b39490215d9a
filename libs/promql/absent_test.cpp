#include "libs/promql/absent.hpp"

#include <string>

#include <gtest/gtest.h>

#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"

namespace vigia::promql {
namespace {

std::string hidden(std::string_view text) {
  auto expr = parse(text, Dialect::kPrometheus2);
  if (!expr) return expr.error().message;
  hide_fence_in_absent(**expr);
  return print(**expr);
}

TEST(Absent, TheFenceIsTakenOutOfWhatSaysNothingOfIt) {
  EXPECT_EQ(hidden("absent(up{a=\"b\"})"), "group without (customer_id) (absent(up{a=\"b\"}))");
  EXPECT_EQ(hidden("absent_over_time((up)[5m:1m])"), "absent_over_time((up)[5m:1m])")
      << "no selector, no labels";
  EXPECT_EQ(hidden("1 - absent_over_time(up[5m]) or sum(absent((up)))"),
            "1 - group without (customer_id) (absent_over_time(up[5m])) or "
            "sum(group without (customer_id) (absent((up))))");
  EXPECT_EQ(hidden("max_over_time(absent(up)[5m:1m])"),
            "max_over_time(group without (customer_id) (absent(up))[5m:1m])");
}

TEST(Absent, WhatTheCallerAsksOfTheLabelStays) {
  for (const char* text : {"absent(up{customer_id=\"a\"})", "absent(up{customer_id=~\"a.*\"})",
                           "absent(sum(up))", "up"}) {
    EXPECT_EQ(hidden(text), text);
  }
}

}  // namespace
}  // namespace vigia::promql
