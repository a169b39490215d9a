#include "services/router/api/loki/constants.hpp"

#include <gtest/gtest.h>

#include "libs/logql/parser.hpp"

namespace vigia::router::api::loki {
namespace {

Result<double> value_of(const char* query) {
  const auto expr = logql::parse_logs(query);
  if (!expr) return forward(expr);
  return constant_value(**expr);
}

TEST(Constants, AreCalculated) {
  EXPECT_EQ(value_of("vector(1)+vector(1)").value(), 2);  // Grafana's test of a data source
  EXPECT_EQ(value_of("(vector(1) + 2) * 3").value(), 9);
  EXPECT_EQ(value_of("7 % 4 - 2 ^ 3 / 4").value(), 1);
}

TEST(Constants, MoreThanArithmeticIsRefused) {
  for (const char* query : {"vector(1) or vector(2)", "vector(1) > vector(2)",
                            R"(rate({service_name="a"}[5m]))", R"(sum(vector(1)))"}) {
    const auto value = value_of(query);
    ASSERT_FALSE(value.has_value()) << query;
    EXPECT_EQ(value.error().code, ErrorCode::kInvalid) << query;
  }
}

}  // namespace
}  // namespace vigia::router::api::loki
