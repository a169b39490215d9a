#include "services/collector/processors/filter/filter_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/otlp/walker.hpp"
#include "services/collector/processors/programs/testing/processed.hpp"

namespace vigia::collector::processors::filter {
namespace {

using programs::testing::process;
using programs::testing::Processed;
using programs::testing::read_yaml;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kLogs = R"({"resourceLogs": [
  {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
   "scopeLogs": [{"scope": {"name": "lib"}, "logRecords": [
     {"severityNumber": 5, "severityText": "DEBUG", "body": {"stringValue": "noise"},
      "attributes": [{"key": "n", "value": {"intValue": "1"}}]},
     {"severityNumber": 17, "severityText": "ERROR", "body": {"stringValue": "pass=secret"},
      "attributes": [{"key": "n", "value": {"intValue": "2"}}]}]}]},
  {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "test"}}]},
   "scopeLogs": [{"logRecords": [{"body": {"stringValue": "of test"}}]}]}]})";

constexpr std::string_view kMetrics = R"({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
  {"name": "up", "gauge": {"dataPoints": [
     {"asInt": "1", "attributes": [{"key": "node", "value": {"stringValue": "a"}}]},
     {"asInt": "0", "attributes": [{"key": "node", "value": {"stringValue": "b"}}]}]}},
  {"name": "go.gc", "sum": {"aggregationTemporality": 2, "isMonotonic": true,
                            "dataPoints": [{"asDouble": 2.5}]}}]}]}]})";

constexpr std::string_view kTraces = R"({"resourceSpans": [{"scopeSpans": [{"spans": [
  {"name": "GET /health", "kind": 2, "startTimeUnixNano": "1000", "endTimeUnixNano": "2000",
   "traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708"},
  {"name": "GET /cart", "kind": 2, "startTimeUnixNano": "1000", "endTimeUnixNano": "3000001000",
   "traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060709",
   "parentSpanId": "0102030405060708", "status": {"code": 2},
   "events": [{"name": "grpc.timeout"}, {"name": "exception"}]}]}]}]})";

Processed filter(std::string_view yaml, Signal signal, std::string_view json) {
  static const std::map<std::string, std::string> tokens;
  config::Notes notes;
  auto settings = std::make_shared<FilterSettings>();
  const std::string error = read_yaml(yaml, [&](const service::ConfigNode& node) {
    *settings = read_filter(node, {tokens, notes});
  });
  if (!error.empty()) return {{}, 0, "file: " + error, {}};
  return process(*make_filter_stage(settings), signal, json);
}

std::uint64_t dropped(std::string_view yaml, Signal signal, std::string_view json) {
  const Processed made = filter(yaml, signal, json);
  EXPECT_EQ(made.refused, "");
  const auto left = wire::otlp::count_items(signal, made.body);
  const auto all = signal == Signal::kTraces ? 2U : 3U;
  EXPECT_TRUE(left.has_value());
  EXPECT_EQ(*left + made.filtered, all) << yaml;
  return made.filtered;
}

TEST(FilterStage, ConditionsOfEachContextDropWhatTheyAreMetFor) {
  EXPECT_EQ(dropped("logs: {log_record: ['severity_number < SEVERITY_NUMBER_INFO']}", Signal::kLogs,
                    kLogs),
            2U)
      << "one has no severity";
  EXPECT_EQ(dropped("log_conditions: ['IsMatch(log.body, \"pass\")']", Signal::kLogs, kLogs), 1U);
  EXPECT_EQ(dropped("log_conditions: ['resource.attributes[\"service.name\"] == \"shop\"']",
                    Signal::kLogs, kLogs),
            2U);
  EXPECT_EQ(dropped("log_conditions: ['scope.name == \"lib\"']", Signal::kLogs, kLogs), 2U);
  EXPECT_EQ(dropped("log_conditions: ['log.body == \"noise\"', 'log.body == \"of test\"']",
                    Signal::kLogs, kLogs),
            2U);
  EXPECT_EQ(dropped("log_conditions: [{conditions: ['log.attributes[\"n\"] == 2']},"
                    " {context: log, conditions: ['attributes[\"n\"] == 1']}]",
                    Signal::kLogs, kLogs),
            2U);
  EXPECT_EQ(dropped("metrics: {metric: ['name == \"up\"']}", Signal::kMetrics, kMetrics), 2U);
  EXPECT_EQ(dropped("metrics: {metric: ['HasAttrOnDatapoint(\"node\", \"b\")']}", Signal::kMetrics,
                    kMetrics),
            2U);
  EXPECT_EQ(dropped("metrics: {datapoint: ['metric.name == \"up\" and value_int == 0']}",
                    Signal::kMetrics, kMetrics),
            1U);
  EXPECT_EQ(dropped("metric_conditions: ['metric.type == METRIC_DATA_TYPE_SUM']", Signal::kMetrics,
                    kMetrics),
            1U);
  EXPECT_EQ(dropped("traces: {span: ['name == \"GET /health\"']}", Signal::kTraces, kTraces), 1U);
  EXPECT_EQ(dropped("trace_conditions: ['(span.end_time - span.start_time) < Duration(\"1s\") and "
                    "span.status.code != STATUS_CODE_ERROR']",
                    Signal::kTraces, kTraces),
            1U);
  EXPECT_EQ(dropped("traces: {span: ['IsRootSpan()']}", Signal::kTraces, kTraces), 1U);
}

TEST(FilterStage, AnEventThatGoesIsNoItem) {
  const Processed made =
      filter("traces: {spanevent: ['name == \"grpc.timeout\"']}", Signal::kTraces, kTraces);
  EXPECT_EQ(made.filtered, 0U);
  EXPECT_THAT(made.body, AllOf(HasSubstr("exception"), Not(HasSubstr("grpc.timeout"))));
}

TEST(FilterStage, ARequestOfOtherThingsIsLeftAsItIs) {
  const Processed made =
      filter("logs: {log_record: ['body == \"noise\"']}", Signal::kTraces, kTraces);
  EXPECT_EQ(made.filtered, 0U);
  EXPECT_THAT(made.body, HasSubstr("grpc.timeout"));
}

TEST(FilterStage, IncludeAndExcludeOfTheOldForm) {
  EXPECT_EQ(dropped("metrics: {exclude: {match_type: strict, metric_names: [up, other]}}",
                    Signal::kMetrics, kMetrics),
            2U);
  EXPECT_EQ(dropped("metrics: {include: {match_type: regexp, metric_names: ['^go\\..*']}}",
                    Signal::kMetrics, kMetrics),
            2U);
  EXPECT_EQ(dropped("logs: {include: {match_type: strict, resource_attributes: "
                    "[{key: service.name, value: shop}]}}",
                    Signal::kLogs, kLogs),
            1U);
  EXPECT_EQ(
      dropped("logs: {exclude: {match_type: strict, record_attributes: [{key: n, value: 1}]}}",
              Signal::kLogs, kLogs),
      1U);
  EXPECT_EQ(
      dropped("logs: {exclude: {match_type: strict, record_attributes: [{key: n, value: '1'}]}}",
              Signal::kLogs, kLogs),
      0U)
      << "it holds an int";
  EXPECT_EQ(dropped("logs: {include: {match_type: strict, severity_number: {min: warn}}}",
                    Signal::kLogs, kLogs),
            2U);
  EXPECT_EQ(dropped("logs: {include: {match_type: strict, severity_number: {min: INFO, "
                    "match_undefined: true}}}",
                    Signal::kLogs, kLogs),
            1U);
  EXPECT_EQ(dropped("logs: {exclude: {match_type: regexp, bodies: ['^no'], severity_texts: [DEB]}}",
                    Signal::kLogs, kLogs),
            1U);
  EXPECT_EQ(dropped("spans: {exclude: {match_type: strict, span_names: ['GET /health']}}",
                    Signal::kTraces, kTraces),
            1U);
  EXPECT_EQ(dropped("spans: {include: {match_type: strict, span_kinds: [SPAN_KIND_CLIENT]}}",
                    Signal::kTraces, kTraces),
            2U);
}

TEST(FilterStage, AFaultIsPassedOverOrEndsTheRequest) {
  const std::string_view yaml =
      "log_conditions: ['Substring(log.body, 0, 6) == \"noise!\"', "
      "'log.body == \"noise\"']";
  EXPECT_EQ(dropped(yaml, Signal::kLogs, kLogs), 1U) << "ignore stands where nothing is said";
  EXPECT_EQ(dropped("error_mode: silent\n" + std::string(yaml), Signal::kLogs, kLogs), 1U);
  const Processed ignored = filter(yaml, Signal::kLogs, kLogs);
  EXPECT_EQ(ignored.faults, 1U) << "one record is shorter than six letters";
  EXPECT_THAT(ignored.first_fault, HasSubstr("outside of the text"));
  const Processed silent = filter("error_mode: silent\n" + std::string(yaml), Signal::kLogs, kLogs);
  EXPECT_EQ(silent.faults, 1U) << "counted all the same";
  EXPECT_EQ(silent.first_fault, "");
  const Processed made =
      filter("error_mode: propagate\n" + std::string(yaml), Signal::kLogs, kLogs);
  EXPECT_THAT(made.refused,
              AllOf(HasSubstr("error_mode: propagate"), HasSubstr("1:1 of `Substring"),
                    HasSubstr("outside of the text")));
  EXPECT_EQ(made.reason, "processor");
}

TEST(FilterStage, WhatARequestMayCostIsBounded) {
  // Each of 60,000 records looks through a resource of 100 KiB.
  std::string json = R"({"resourceLogs": [{"resource": {"attributes": [{"key": "a", "value":)"
                     R"( {"stringValue": ")" +
                     std::string(100'000, 'x') + R"("}}]}, "scopeLogs": [{"logRecords": [{})";
  for (int i = 1; i < 60'000; ++i) json += ",{}";
  json += "]}]}]}";
  const Processed made =
      filter("logs: {log_record: ['resource.attributes[\"b\"] == 1']}", Signal::kLogs, json);
  EXPECT_EQ(made.reason, "request_size");
  EXPECT_THAT(made.refused, HasSubstr("send it in smaller ones"));
}

}  // namespace
}  // namespace vigia::collector::processors::filter
