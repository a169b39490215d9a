#include "services/collector/processors/filter/filter_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/collector/processors/programs/testing/processed.hpp"

namespace vigia::collector::processors::filter {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(std::string_view yaml) {
  static const std::map<std::string, std::string> tokens;
  config::Notes notes;
  return programs::testing::read_yaml(
      yaml, [&](const service::ConfigNode& node) { read_filter(node, {tokens, notes}); });
}

TEST(FilterSettings, FilesOfUpstreamAreRead) {
  EXPECT_EQ(error_of(R"(
error_mode: ignore
traces:
  span:
    - 'attributes["container.name"] == "app_container_1"'
    - 'resource.attributes["host.name"] == "localhost"'
    - 'name == "app_3"'
  spanevent:
    - 'attributes["grpc"] == true'
    - 'IsMatch(name, ".*grpc.*")'
metrics:
  metric:
    - 'name == "my.metric" and resource.attributes["my_label"] == "abc123"'
    - 'type == METRIC_DATA_TYPE_HISTOGRAM'
  datapoint:
    - 'metric.type == METRIC_DATA_TYPE_SUMMARY'
    - 'resource.attributes["service.name"] == "my_service_name"'
logs:
  log_record:
    - 'IsMatch(body, ".*password.*")'
    - 'severity_number < SEVERITY_NUMBER_WARN'
)"),
            "");
  EXPECT_EQ(error_of(R"(
metrics:
  include:
    match_type: regexp
    regexp:
      cacheenabled: true
      cachemaxnumentries: 100
    metric_names:
      - prefix/.*
    resource_attributes:
      - key: container.name
        value: app_container_1
  exclude: {match_type: strict, metric_names: [hello_world]}
logs:
  include: {match_type: strict, severity_number: {min: "INFO", match_undefined: true}}
spans:
  exclude: {match_type: regexp, services: [a], span_names: [b], attributes: [{key: c}],
            resources: [{key: d, value: e}], libraries: [{name: f, version: "1"}], span_kinds: [SERVER]}
)"),
            "");
}

TEST(FilterSettings, MistakesAreToldWithTheirLineAndPlace) {
  EXPECT_THAT(error_of("error_mode: ignore\nlogs:\n  log_record:\n    - 'body == \"a\"'\n"
                       "    - 'bodyy == 1'\n"),
              AllOf(StartsWith("x.yaml:5: logs.log_record"), HasSubstr("1:1: bodyy is no field")));
  EXPECT_THAT(error_of("log_conditions:\n  - 'body == 1'\n"),
              AllOf(StartsWith("x.yaml:2"), HasSubstr("names no context")));
  EXPECT_THAT(error_of("trace_conditions:\n  - 'IsRootSpan()'\n"), HasSubstr("set `context`"));
  EXPECT_THAT(error_of("trace_conditions:\n  - 'log.body == 1'\n"),
              HasSubstr("no context of traces"));
  EXPECT_THAT(error_of("trace_conditions:\n  - {context: log, conditions: ['body == 1']}\n"),
              HasSubstr("\"log\" is no context of traces"));
  EXPECT_THAT(error_of("log_conditions: ['log.body == 1', {conditions: ['log.body == 1']}]"),
              HasSubstr("not of both"));
  EXPECT_THAT(error_of("log_conditions: [{context: log}]"), HasSubstr("names no conditions"));
  EXPECT_THAT(error_of("error_mode: loud"), HasSubstr("ignore, silent or propagate"));
  EXPECT_THAT(error_of("profiles: {profile: []}"), HasSubstr("profiles"));
  EXPECT_THAT(error_of("metrics: {include: {match_type: expr, expressions: ['a']}}"),
              HasSubstr("strict or regexp"));
  EXPECT_THAT(error_of("metrics: {include: {metric_names: [a]}}"), HasSubstr("strict or regexp"));
  EXPECT_THAT(error_of("logs: {include: {match_type: strict, severity_number: {min: LOUD}}}"),
              HasSubstr("as INFO or WARN2"));
  EXPECT_THAT(error_of("metrics: {metric: ['name == \"a\"'], exclude: {match_type: strict, "
                       "metric_names: [a]}}"),
              HasSubstr("give one of them"));
  EXPECT_THAT(
      error_of("metric_conditions: ['metric.name == \"a\"']\nmetrics: {metric: ['name == \"a\"']}"),
      HasSubstr("stands beside metrics"));
  EXPECT_THAT(error_of("logs: {log_record: 'body == 1'}"), HasSubstr("is a list"));
  EXPECT_THAT(error_of("logs: {exclude: {match_type: regexp, bodies: ['(']}}"), HasSubstr("regex"));
}

}  // namespace
}  // namespace vigia::collector::processors::filter
