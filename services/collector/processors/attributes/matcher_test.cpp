#include "services/collector/processors/attributes/matcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/edit/value.hpp"

namespace vigia::collector::processors::attributes {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using wire::edit::Editable;
using wire::edit::encoded_value;
using wire::edit::ValueView;
using wire::otlp::LogRecordField;
using wire::otlp::SpanField;

struct Read {
  PropertiesMatcher matcher;
  std::string error;
};

Read read(const std::string& yaml, const std::set<Signal>& signals) {
  const auto file = service::ConfigFile::parse("include: {" + yaml + "}", "c.yaml");
  config::Notes notes;
  Read made{PropertiesMatcher::read(file->root().child("include"), signals, notes), ""};
  if (const auto finished = file->finish(); !finished) made.error = finished.error().message;
  return made;
}

PropertiesMatcher matcher(const std::string& yaml, Signal signal) {
  auto made = read(yaml, {signal});
  EXPECT_EQ(made.error, "") << yaml;
  return made.matcher;
}

class MatcherTest : public ::testing::Test {
 protected:
  bool resource(const std::string& yaml, const std::string& key, const ValueView& value) {
    Editable message({}, wire::otlp::ResourceField::kAttributes);
    message.set_attribute(key, encoded_value(value));
    return matcher(yaml, Signal::kTraces).matches_resource(message);
  }
  bool span(const std::string& yaml) {
    Editable message({}, SpanField::kAttributes);
    message.set_bytes(SpanField::kName, "GET /cart");
    message.set_number(SpanField::kKind, 2);
    message.set_attribute("db", encoded_value(ValueView::of_text("redis")));
    message.set_attribute("code", encoded_value(ValueView::of_int(404)));
    message.set_attribute("share", encoded_value(ValueView::of_double(0.25)));
    return matcher(yaml, Signal::kTraces).matches_item(Signal::kTraces, message);
  }
  bool record(const std::string& yaml, std::uint64_t severity, const ValueView& body) {
    Editable message({}, LogRecordField::kAttributes);
    message.set_number(LogRecordField::kSeverityNumber, severity);
    message.set_bytes(LogRecordField::kSeverityText, "WARN");
    message.set_bytes(LogRecordField::kBody, encoded_value(body));
    return matcher(yaml, Signal::kLogs).matches_item(Signal::kLogs, message);
  }
};

TEST_F(MatcherTest, Services) {
  const ValueView shop = ValueView::of_text("shop");
  EXPECT_TRUE(resource("match_type: strict, services: [cart, shop]", "service.name", shop));
  EXPECT_FALSE(resource("match_type: strict, services: [sho]", "service.name", shop));
  EXPECT_TRUE(resource("match_type: regexp, services: [sho]", "service.name", shop));
  EXPECT_FALSE(resource("match_type: regexp, services: ['^op$']", "service.name", shop));
  EXPECT_FALSE(resource("match_type: strict, services: [shop]", "other", shop));
  EXPECT_TRUE(resource("match_type: strict, services: [<nil-service-name>]", "other", shop));
}

TEST_F(MatcherTest, ResourcesHaveToMatchAll) {
  const ValueView linux_host = ValueView::of_text("linux");
  EXPECT_TRUE(
      resource("match_type: strict, resources: [{key: os, value: linux}]", "os", linux_host));
  EXPECT_TRUE(resource("match_type: strict, resources: [{key: os}]", "os", linux_host));
  EXPECT_FALSE(
      resource("match_type: strict, resources: [{key: os, value: lin}]", "os", linux_host));
  EXPECT_FALSE(resource("match_type: strict, resources: [{key: os}, {key: x}]", "os", linux_host));
}

TEST_F(MatcherTest, AttributesOfItems) {
  EXPECT_TRUE(
      span("match_type: strict, attributes: [{key: db, value: redis}, {key: code, value: 404}]"));
  EXPECT_FALSE(span("match_type: strict, attributes: [{key: code, value: '404'}]")) << "a text";
  EXPECT_TRUE(span("match_type: strict, attributes: [{key: share, value: 0.25}]"));
  EXPECT_FALSE(span("match_type: strict, attributes: [{key: none}]"));
  EXPECT_TRUE(span("match_type: regexp, attributes: [{key: code, value: '^4..$'}]"));
  EXPECT_TRUE(span("match_type: regexp, attributes: [{key: share, value: '^0\\.25$'}]"));
  EXPECT_FALSE(span("match_type: regexp, attributes: [{key: db, value: '^post'}]"));
}

TEST_F(MatcherTest, SpanNamesAndKinds) {
  EXPECT_TRUE(span("match_type: strict, span_names: [GET /cart]"));
  EXPECT_FALSE(span("match_type: strict, span_names: [GET]"));
  EXPECT_TRUE(span("match_type: regexp, span_names: [^GET]"));
  EXPECT_TRUE(span("match_type: strict, span_kinds: [SPAN_KIND_SERVER]"));
  EXPECT_FALSE(span("match_type: strict, span_kinds: [SPAN_KIND_CLIENT]"));
  EXPECT_TRUE(span("match_type: regexp, span_kinds: [SERVER$]"));
  EXPECT_FALSE(span("match_type: strict, span_names: [GET /cart], span_kinds: [SPAN_KIND_CLIENT]"))
      << "all that is named has to match";
}

TEST_F(MatcherTest, LogBodiesAndSeverities) {
  const ValueView line = ValueView::of_text("disk full");
  EXPECT_TRUE(record("match_type: regexp, log_bodies: [full]", 0, line));
  EXPECT_FALSE(record("match_type: strict, log_bodies: [full]", 0, line));
  EXPECT_TRUE(record("match_type: strict, log_bodies: [full]", 0, ValueView::of_int(1)))
      << "a body that is no text is not compared";
  EXPECT_TRUE(record("match_type: strict, log_severity_texts: [WARN]", 0, line));
  EXPECT_FALSE(record("match_type: strict, log_severity_texts: [INFO]", 0, line));
  EXPECT_TRUE(record("match_type: strict, log_severity_number: {min: 13}", 13, line));
  EXPECT_FALSE(record("match_type: strict, log_severity_number: {min: 13}", 12, line));
  EXPECT_FALSE(record("match_type: strict, log_severity_number: {min: 13}", 0, line));
  EXPECT_TRUE(
      record("match_type: strict, log_severity_number: {min: 13, match_undefined: true}", 0, line));
}

TEST_F(MatcherTest, LibrariesAndMetricNames) {
  Editable scope{std::string_view{}};
  scope.set_bytes(wire::otlp::ScopeField::kName, "lib");
  scope.set_bytes(wire::otlp::ScopeField::kVersion, "1.2");
  const auto matches = [&](const std::string& yaml) {
    return matcher(yaml, Signal::kTraces).matches_scope(scope);
  };
  EXPECT_TRUE(matches("match_type: strict, libraries: [{name: other}, {name: lib}]"));
  EXPECT_TRUE(matches("match_type: strict, libraries: [{name: lib, version: '1.2'}]"));
  EXPECT_FALSE(matches("match_type: strict, libraries: [{name: lib, version: ''}]"));
  EXPECT_TRUE(matches("match_type: regexp, libraries: [{name: ^l, version: '^1'}]"));
  Editable metric{std::string_view{}};
  metric.set_bytes(wire::otlp::MetricField::kName, "cpu.time");
  EXPECT_TRUE(matcher("match_type: strict, metric_names: [a, cpu.time]", Signal::kMetrics)
                  .matches_metric(metric));
  EXPECT_FALSE(matcher("match_type: regexp, metric_names: ['^time']", Signal::kMetrics)
                   .matches_metric(metric));
}

TEST(MatcherKeys, OfAnotherSignalAreRefusedByName) {
  const std::vector<std::pair<std::string, Signal>> cases{
      {"services: [a]", Signal::kLogs},
      {"span_names: [a]", Signal::kMetrics},
      {"log_bodies: [a]", Signal::kTraces},
      {"metric_names: [a]", Signal::kLogs},
      {"attributes: [{key: a}]", Signal::kMetrics},
      {"libraries: [{name: a}]", Signal::kMetrics}};
  for (const auto& [yaml, signal] : cases) {
    const std::string error = read("match_type: strict, " + yaml, {signal}).error;
    EXPECT_THAT(error, StartsWith("c.yaml:1: include.")) << yaml;
    EXPECT_THAT(error, HasSubstr("does not exist for " + std::string(to_string(signal)))) << yaml;
  }
}

TEST(MatcherKeys, MistakesAreTold) {
  EXPECT_THAT(read("services: [a]", {}).error, HasSubstr("match_type"));
  EXPECT_THAT(read("match_type: glob, services: [a]", {}).error, HasSubstr("not strict or regexp"));
  EXPECT_THAT(read("match_type: strict", {}).error, HasSubstr("names nothing to compare"));
  EXPECT_THAT(read("match_type: regexp, services: ['(']", {}).error,
              HasSubstr("no regular expression"));
  EXPECT_THAT(read("match_type: strict, span_kinds: [SERVER]", {}).error,
              HasSubstr("no kind of span"));
  EXPECT_THAT(read("match_type: regexp, attributes: [{key: a, value: 1}]", {}).error,
              HasSubstr("quotes"));
  EXPECT_EQ(
      read("match_type: regexp, regexp: {cacheenabled: true, cachemaxnumentries: 5}, services: [a]",
           {})
          .error,
      "");
}

}  // namespace
}  // namespace vigia::collector::processors::attributes
