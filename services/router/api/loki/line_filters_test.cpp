#include "services/router/api/loki/line_filters.hpp"

#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "libs/logql/parser.hpp"

namespace vigia::router::api::loki {
namespace {

Result<LineFilters> filters_of(const std::string& stages) {
  const auto expr = logql::parse_logs(R"({service_name="x"} )" + stages);
  if (!expr) return forward(expr);
  return LineFilters::compile(std::get<logql::LogSelector>((*expr)->node));
}

bool passes(const std::string& stages, std::string_view line) {
  const auto filters = filters_of(stages);
  EXPECT_TRUE(filters.has_value()) << stages;
  return filters && filters->pass(line);
}

TEST(LineFilters, LeaveOutWhatIsNotAskedFor) {
  EXPECT_TRUE(passes("", "x"));
  EXPECT_FALSE(filters_of("")->leave_lines_out());
  EXPECT_TRUE(filters_of(R"(|= "a")")->leave_lines_out());
  EXPECT_TRUE(passes(R"(|= "b.c")", "ab.cd"));
  EXPECT_FALSE(passes(R"(|= "b.c")", "abxcd"));
  EXPECT_TRUE(passes(R"(|~ "b.c")", "abxcd"));
  EXPECT_FALSE(passes(R"(!= "b")", "abc"));
  EXPECT_FALSE(passes(R"(!~ "^a")", "abc"));
  EXPECT_TRUE(passes(R"(!~ "^b")", "abc"));
  EXPECT_TRUE(passes(R"(|~ "(?i)ERROR" != "debug" |= "id")", "an error of id 7"));
  EXPECT_FALSE(passes(R"(|~ "(?i)ERROR" != "debug" |= "id")", "an error of id 7 debug"));
}

TEST(LineFilters, OneOfSeveralTermsIsEnough) {
  EXPECT_TRUE(passes(R"(|= "x" or "b")", "abc"));
  EXPECT_FALSE(passes(R"(|= "x" or "y")", "abc"));
  EXPECT_FALSE(passes(R"(!= "x" or "b")", "abc"));
  EXPECT_TRUE(passes(R"(!= "x" or "y")", "abc"));
}

TEST(LineFilters, OtherStagesAreRefused) {
  for (const char* stages : {"| json", "| logfmt", R"(| level="error")", R"(|= ip("10.0.0.1"))",
                             R"(|> "<_> x")", R"(| line_format "x")", "| decolorize"}) {
    const auto filters = filters_of(stages);
    ASSERT_FALSE(filters.has_value()) << stages;
    EXPECT_EQ(filters.error().code, ErrorCode::kInvalid) << stages;
  }
}

}  // namespace
}  // namespace vigia::router::api::loki
