#include "services/collector/processors/transform/transform_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/collector/processors/programs/testing/processed.hpp"

namespace vigia::collector::processors::transform {
namespace {

using programs::testing::process;
using programs::testing::Processed;
using programs::testing::read_yaml;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kLogs = R"({"resourceLogs": [
  {"resource": {"attributes": [{"key": "customer.id", "value": {"stringValue": "cliente-a"}},
                               {"key": "service.name", "value": {"stringValue": "shop"}}]},
   "scopeLogs": [{"scope": {"name": "lib"}, "logRecords": [
     {"severityText": "ERROR", "body": {"stringValue": "password=secret user=ana"},
      "attributes": [{"key": "card", "value": {"stringValue": "4111111111111111"}}]},
     {"severityText": "INFO", "body": {"stringValue": "all is well"}}]}]}]})";

constexpr std::string_view kTraces = R"({"resourceSpans": [{"scopeSpans": [{"spans": [
  {"name": "GET /cart/1234", "traceId": "0102030405060708090a0b0c0d0e0f10",
   "spanId": "0102030405060709", "events": [{"name": "first"}, {"name": "second"}]}]}]}]})";

constexpr std::string_view kMetrics = R"({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
  {"name": "up", "gauge": {"dataPoints": [
     {"asInt": "1", "attributes": [{"key": "node", "value": {"stringValue": "a"}}]}]}}]}]}]})";

std::string error_of(std::string_view yaml) {
  return read_yaml(yaml, [](const service::ConfigNode& node) { read_transform(node); });
}

Processed transform(std::string_view yaml, Signal signal, std::string_view json) {
  auto settings = std::make_shared<TransformSettings>();
  const std::string error =
      read_yaml(yaml, [&](const service::ConfigNode& node) { *settings = read_transform(node); });
  if (!error.empty()) return {{}, 0, "file: " + error, {}};
  return process(*make_transform_stage(settings), signal, json);
}

TEST(TransformStage, AFlatListOfStatements) {
  const Processed made = transform(R"(
log_statements:
  - replace_pattern(log.body, "password=\\S+", "password=***")
  - set(log.attributes["service"], resource.attributes["service.name"])
  - delete_key(log.attributes, "card") where log.severity_text == "ERROR"
)",
                                   Signal::kLogs, kLogs);
  EXPECT_EQ(made.refused, "");
  EXPECT_EQ(made.filtered, 0U);
  EXPECT_THAT(made.body, AllOf(HasSubstr("password=*** user=ana"), HasSubstr("all is well"),
                               Not(HasSubstr("secret")), Not(HasSubstr("4111"))));
}

TEST(TransformStage, GroupsWithContextsAndConditions) {
  const Processed made = transform(R"(
error_mode: ignore
log_statements:
  - context: log
    conditions: ['severity_text == "INFO"', 'severity_text == "DEBUG"']
    statements: ['set(body, "quiet")']
  - context: resource
    statements: ['set(attributes["env"], "prod")', 'keep_keys(attributes, ["env"])']
  - context: scope
    statements: ['set(name, "renamed")']
)",
                                   Signal::kLogs, kLogs);
  EXPECT_EQ(made.refused, "");
  EXPECT_THAT(made.body, AllOf(HasSubstr("quiet"), HasSubstr("secret"), HasSubstr("prod"),
                               HasSubstr("renamed"), HasSubstr("cliente-a"),
                               Not(HasSubstr("all is well")), Not(HasSubstr("shop"))));
}

TEST(TransformStage, AGroupIsDoneBeforeTheNextBegins) {
  const Processed made = transform(R"(
log_statements:
  - statements: ['set(log.attributes["service"], resource.attributes["service.name"])']
  - statements: ['delete_key(resource.attributes, "service.name")']
)",
                                   Signal::kLogs, kLogs);
  EXPECT_THAT(made.body, AllOf(HasSubstr("shop"), Not(HasSubstr("service.name"))));
}

TEST(TransformStage, SpansEventsMetricsAndPoints) {
  EXPECT_THAT(transform("trace_statements: ['replace_pattern(span.name, \"/\\\\d+\", \"/{id}\")']",
                        Signal::kTraces, kTraces)
                  .body,
              HasSubstr("GET /cart/{id}"));
  EXPECT_THAT(transform("trace_statements: ['set(spanevent.attributes[\"of\"], span.name)', "
                        "'set(spanevent.name, \"third\") where spanevent.name == \"second\"']",
                        Signal::kTraces, kTraces)
                  .body,
              AllOf(HasSubstr("first"), HasSubstr("third"), Not(HasSubstr("second"))));
  EXPECT_THAT(
      transform("metric_statements: ['set(metric.name, \"node.up\") where metric.name == \"up\"']",
                Signal::kMetrics, kMetrics)
          .body,
      HasSubstr("node.up"));
  EXPECT_THAT(transform("metric_statements: ['set(datapoint.attributes[\"m\"], metric.name)', "
                        "'delete_key(datapoint.attributes, \"node\")']",
                        Signal::kMetrics, kMetrics)
                  .body,
              Not(HasSubstr("node")));
}

TEST(TransformStage, AFaultIsPassedOverOrEndsTheRequest) {
  const std::string statements = R"(
log_statements:
  - set(log.attributes["part"], Substring(log.body, 0, 20))
  - set(log.severity_text, "seen")
)";
  const Processed ignored = transform(statements, Signal::kLogs, kLogs);
  EXPECT_EQ(ignored.refused, "");
  EXPECT_EQ(ignored.faults, 1U);
  EXPECT_THAT(ignored.first_fault, HasSubstr("outside of the text"));
  EXPECT_THAT(ignored.body, AllOf(HasSubstr("part"), HasSubstr("seen"), Not(HasSubstr("INFO"))));
  const Processed refused = transform("error_mode: propagate" + statements, Signal::kLogs, kLogs);
  EXPECT_THAT(refused.refused, HasSubstr("outside of the text"));
  EXPECT_EQ(refused.reason, "processor");
}

TEST(TransformStage, WhatAStatementMakesOfARequestIsBounded) {
  std::string json = R"({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityText": "a"})";
  for (int i = 1; i < 20'000; ++i) json += R"(,{"severityText": "a"})";
  json += "]}]}]}";
  std::string yaml = "log_statements:\n";
  for (int i = 0; i < 12; ++i)
    yaml += "  - set(log.severity_text, Concat([log.severity_text, log.severity_text], \"\"))\n";
  const Processed made = transform(yaml, Signal::kLogs, json);
  EXPECT_EQ(made.reason, "request_size");
}

TEST(TransformStage, MistakesAreToldWithTheirLineAndPlace) {
  EXPECT_THAT(
      error_of("log_statements:\n  - set(log.body, 1)\n  - 'set(log.bodyy, 1)'\n"),
      AllOf(StartsWith("x.yaml:3: log_statements"), HasSubstr("1:5: log.bodyy is no field")));
  EXPECT_THAT(error_of("log_statements:\n  - set(resource.attributes[\"customer.id\"], \"b\")\n"),
              AllOf(StartsWith("x.yaml:2"), HasSubstr("says whose data it is")));
  EXPECT_THAT(
      error_of("metric_statements:\n  - set(datapoint.attributes[\"customer_id\"], \"b\")\n"),
      HasSubstr("says whose data it is"));
  EXPECT_THAT(
      error_of("metric_statements:\n  - convert_sum_to_gauge() where metric.name == \"a\"\n"),
      AllOf(StartsWith("x.yaml:2"), HasSubstr("convert_sum_to_gauge is not taken")));
  EXPECT_THAT(error_of("log_statements: [{context: log}]"), HasSubstr("names no statements"));
  EXPECT_THAT(
      error_of(
          "log_statements: [{context: log, shared_cache: true, statements: [\"set(body, 1)\"]}]"),
      HasSubstr("is not taken"));
  EXPECT_THAT(error_of("log_statements: [\"set(body, 1)\"]"), HasSubstr("names no context"));
  EXPECT_THAT(error_of("profile_statements: []"), HasSubstr("profile_statements"));
  EXPECT_EQ(error_of(R"yaml(
error_mode: ignore
trace_statements:
  - keep_keys(span.attributes, ["service.name", "service.namespace", "cloud.region"])
  - replace_pattern(span.attributes["process.command_line"], "password\\=[^\\s]*(\\s?)", "password=***")
  - limit(span.attributes, 100, [])
  - truncate_all(span.attributes, 4096)
metric_statements:
  - keep_keys(resource.attributes, ["host.name"])
  - truncate_all(resource.attributes, 4096)
  - set(metric.description, "Sum") where metric.type == METRIC_DATA_TYPE_SUM
log_statements:
  - set(log.severity_text, "FAIL") where log.body == "request failed"
  - replace_all_matches(log.attributes, "/user/*/list/*", "/user/{userId}/list/{listId}")
  - replace_all_patterns(log.attributes, "value", "/account/\\d{4}", "/account/{accountId}")
  - set(log.body, log.attributes["http.route"])
)yaml"),
            "");
}

}  // namespace
}  // namespace vigia::collector::processors::transform
