#include "services/router/api/loki/line_stages.hpp"

#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "libs/logql/parser.hpp"

namespace vigia::router::api::loki {
namespace {

Result<LineStages> stages_of(const std::string& stages) {
  auto expr = logql::parse_logs(R"({service_name="x"} )" + stages);
  if (!expr) return forward(expr);
  return LineStages::compile(std::get<logql::LogSelector>((*expr)->node));
}

LogRecord record_of(std::string_view body) {
  LogRecord record;
  record.time_ns = 7;
  record.severity = "INFO";
  record.body = body;
  record.trace_id = "0e7b";
  record.resource = {{"service.name", "x"}};
  return record;
}

/// "TEXT STREAM METADATA PARSED", or "" where the line does not pass.
std::string made_of(const std::string& stages, std::string_view line) {
  auto compiled = stages_of(stages);
  EXPECT_TRUE(compiled.has_value()) << stages;
  if (!compiled) return "refused";
  const auto made = compiled->run(record_of(line));
  if (!made) return "";
  EXPECT_EQ(made->time_ns, 7);
  return std::string(made->text) + " " + to_string(made->stream) + " " + to_string(made->metadata) +
         " " + to_string(made->parsed);
}

constexpr const char* kOwn = R"( {level="info",service_name="x"} {trace_id="0e7b"} )";

TEST(LineStages, LineFiltersLeaveLabelsAlone) {
  EXPECT_EQ(made_of("", "abc"), std::string("abc") + kOwn + "{}");
  EXPECT_EQ(made_of(R"(|= "b" !~ "^b")", "abc"), std::string("abc") + kOwn + "{}");
  EXPECT_EQ(made_of(R"(|= "b" != "c")", "abc"), "");
  EXPECT_EQ(made_of(R"(|= "x" or "b")", "abc"), std::string("abc") + kOwn + "{}");
  EXPECT_FALSE(stages_of("")->leave_lines_out());
  EXPECT_TRUE(stages_of(R"(|= "a")")->leave_lines_out());
  EXPECT_TRUE(stages_of("| json")->leave_lines_out());
}

TEST(LineStages, WhatStagesMakeStandsBeside) {
  EXPECT_EQ(made_of(R"(|= "code" | json)", R"({"code":"500"})"),
            std::string(R"({"code":"500"})") + kOwn + R"({code="500"})");
  EXPECT_EQ(made_of(R"(| logfmt | code="500" | line_format "{{.code}}!")", "code=500 a=b"),
            std::string("500!") + kOwn + R"({a="b",code="500"})");
  EXPECT_EQ(made_of(R"(| logfmt | code="404")", "code=500"), "");
  EXPECT_EQ(made_of(R"(| trace_id="0e7b" | drop trace_id)", "abc"),
            R"(abc {level="info",service_name="x"} {} {})");
  EXPECT_EQ(made_of(R"(| level="error")", "abc"), "");
}

TEST(LineStages, WhatCannotBeRunIsRefused) {
  const auto stages = stages_of(R"(| line_format "{{ nofunction .x }}")");
  ASSERT_FALSE(stages.has_value());
  EXPECT_EQ(stages.error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace vigia::router::api::loki
