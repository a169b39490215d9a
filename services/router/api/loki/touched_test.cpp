#include "services/router/api/loki/touched.hpp"

#include <gtest/gtest.h>

#include "libs/logql/parser.hpp"

namespace vigia::router::api::loki {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::optional<LogRange> touched_of(const std::string& query) {
  const auto expr = logql::parse_logs(query);
  EXPECT_TRUE(expr.has_value()) << query;
  return expr ? touched_by(**expr, {100 * kSecond, 200 * kSecond}) : std::nullopt;
}

TEST(Touched, FromTheEarliestWindowToTheLatest) {
  struct Row {
    const char* query;
    std::int64_t start_s;
    std::int64_t end_s;
  };
  for (const Row& row :
       {Row{R"(rate({a="b"}[10s]))", 90, 200}, Row{R"(rate({a="b"}[10s] offset 20s))", 70, 180},
        Row{R"(sum by (a) (rate({a="b"}[10s] offset -20s)))", 110, 220},
        Row{R"((rate({a="b"}[10s] offset -20s)) / count_over_time({a="b"}[1m]))", 40, 220},
        Row{R"(label_replace(rate({a="b"}[10s]), "x", "", "y", ""))", 90, 200}}) {
    const auto touched = touched_of(row.query);
    ASSERT_TRUE(touched) << row.query;
    EXPECT_EQ(touched->start_ns, row.start_s * kSecond) << row.query;
    EXPECT_EQ(touched->end_ns, row.end_s * kSecond) << row.query;
  }
  EXPECT_FALSE(touched_of("vector(1)"));
}

}  // namespace
}  // namespace vigia::router::api::loki
