#include "libs/wire/otlp/walker.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/items.hpp"
#include "libs/wire/otlp/points.hpp"

namespace vigia::wire::otlp {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::common::v1::KeyValue;

void set(KeyValue* entry, const std::string& key, const std::string& value) {
  entry->set_key(key);
  entry->mutable_value()->set_string_value(value);
}

/// Writes down what the walker says, as one text a call.
class Transcript final : public Visitor {
 public:
  void on_resource(const ResourceView& resource) override {
    lines.push_back("resource " + std::string(resource.bytes) + "|" +
                    std::string(resource.schema_url));
  }
  void on_scope(const ScopeView& scope) override {
    lines.push_back("scope " + std::string(scope.bytes));
  }
  void on_metric(const MetricView& metric) override {
    type = metric.type;
    lines.push_back("metric " + std::string(metric.name) + " " + std::string(metric.unit) + " " +
                    std::to_string(static_cast<int>(metric.type)) + " " +
                    std::to_string(static_cast<int>(metric.temporality)) + " " +
                    std::to_string(metric.is_monotonic));
  }
  void on_item(std::uint32_t item, std::string_view bytes) override {
    lines.push_back("item " + std::to_string(item) + " " + std::string(bytes));
  }
  std::vector<std::string> lines;
  MetricKind type = MetricKind::kNone;
};

/// The same from the reference classes.
template <typename Data>
void reference_points(const Data& data, std::uint32_t& item, std::vector<std::string>& lines) {
  for (const auto& point : data.data_points()) {
    lines.push_back("item " + std::to_string(item++) + " " + point.SerializeAsString());
  }
}

void reference_metric(const opentelemetry::proto::metrics::v1::Metric& metric, std::uint32_t& item,
                      std::vector<std::string>& lines) {
  int temporality = 0;
  bool is_monotonic = false;
  if (metric.has_sum()) {
    temporality = metric.sum().aggregation_temporality();
    is_monotonic = metric.sum().is_monotonic();
  } else if (metric.has_histogram()) {
    temporality = metric.histogram().aggregation_temporality();
  } else if (metric.has_exponential_histogram()) {
    temporality = metric.exponential_histogram().aggregation_temporality();
  }
  lines.push_back("metric " + metric.name() + " " + metric.unit() + " " +
                  std::to_string(static_cast<int>(metric.data_case())) + " " +
                  std::to_string(temporality) + " " + std::to_string(is_monotonic));
  if (metric.has_gauge()) reference_points(metric.gauge(), item, lines);
  if (metric.has_sum()) reference_points(metric.sum(), item, lines);
  if (metric.has_histogram()) reference_points(metric.histogram(), item, lines);
  if (metric.has_exponential_histogram()) {
    reference_points(metric.exponential_histogram(), item, lines);
  }
  if (metric.has_summary()) reference_points(metric.summary(), item, lines);
}

std::vector<std::string> reference_lines(const ExportMetricsServiceRequest& request) {
  std::vector<std::string> lines;
  std::uint32_t item = 0;
  for (const auto& resource : request.resource_metrics()) {
    lines.push_back("resource " + resource.resource().SerializeAsString() + "|" +
                    resource.schema_url());
    for (const auto& scope : resource.scope_metrics()) {
      lines.push_back("scope " + scope.scope().SerializeAsString());
      for (const auto& metric : scope.metrics()) reference_metric(metric, item, lines);
    }
  }
  return lines;
}

class RandomRequest {
 public:
  explicit RandomRequest(unsigned seed) : random_(seed) {}

  ExportMetricsServiceRequest make() {
    ExportMetricsServiceRequest request;
    for (unsigned i = 0, n = below(4); i < n; ++i) {
      auto* resource = request.add_resource_metrics();
      if (below(5) != 0) attributes(resource->mutable_resource()->mutable_attributes());
      if (below(3) == 0) resource->set_schema_url(text());
      for (unsigned j = 0, m = below(4); j < m; ++j) scope(resource->add_scope_metrics());
    }
    return request;
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  std::string text() { return std::string(below(20), static_cast<char>('a' + below(26))); }
  template <typename Repeated>
  void attributes(Repeated* repeated) {
    for (unsigned i = 0, n = below(5); i < n; ++i) set(repeated->Add(), text(), text());
  }
  template <typename Scope>
  void scope(Scope* scope) {
    if (below(4) != 0) scope->mutable_scope()->set_name(text());
    for (unsigned i = 0, n = below(4); i < n; ++i) metric(scope->add_metrics());
  }
  void metric(opentelemetry::proto::metrics::v1::Metric* metric) {
    metric->set_name(text());
    metric->set_unit(text());
    switch (below(6)) {
      case 0:
        points(metric->mutable_gauge());
        break;
      case 1:
        points(metric->mutable_sum());
        metric->mutable_sum()->set_is_monotonic(below(2) != 0);
        metric->mutable_sum()->set_aggregation_temporality(
            static_cast<opentelemetry::proto::metrics::v1::AggregationTemporality>(below(3)));
        break;
      case 2:
        points(metric->mutable_histogram());
        break;
      case 3:
        points(metric->mutable_exponential_histogram());
        break;
      case 4:
        points(metric->mutable_summary());
        break;
      default:
        break;
    }
  }
  template <typename Data>
  void points(Data* data) {
    for (unsigned i = 0, n = below(4); i < n; ++i) {
      auto* point = data->add_data_points();
      point->set_time_unix_nano(random_());
      attributes(point->mutable_attributes());
    }
  }

  std::mt19937 random_;
};

TEST(Walker, ReadsWhatTheReferenceClassesRead) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    const auto request = RandomRequest(seed).make();
    Transcript transcript;
    const auto items = walk(Signal::kMetrics, request.SerializeAsString(), transcript);
    ASSERT_TRUE(items.has_value()) << seed << ": " << items.error().message;
    ASSERT_EQ(transcript.lines, reference_lines(request)) << seed;
  }
}

TEST(Walker, RefusesWhatTheReferenceRefusesWhenCutOff) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const std::string whole = RandomRequest(seed).make().SerializeAsString();
    for (std::size_t size = 0; size < whole.size(); ++size) {
      Transcript transcript;
      const std::string part = whole.substr(0, size);
      // The walker reads points only as far as it is asked to; the reader of the point does the
      // rest.
      if (!walk(Signal::kMetrics, part, transcript).has_value()) {
        EXPECT_FALSE(ExportMetricsServiceRequest().ParseFromString(part)) << seed << " " << size;
      }
    }
  }
}

TEST(Walker, TheResourceMayStandBehindItsMembers) {
  ExportMetricsServiceRequest members;
  members.add_resource_metrics()->add_scope_metrics()->add_metrics()->set_name("m");
  ExportMetricsServiceRequest head;
  set(head.add_resource_metrics()->mutable_resource()->add_attributes(), "customer.id", "a");
  const std::string inner = members.resource_metrics(0).SerializeAsString() +
                            head.resource_metrics(0).SerializeAsString();
  std::string body = "\x0a";
  body += static_cast<char>(inner.size());
  body += inner;
  Transcript transcript;
  ASSERT_TRUE(walk(Signal::kMetrics, body, transcript).has_value());
  EXPECT_NE(transcript.lines.at(0).find("customer.id"), std::string::npos);
}

TEST(Walker, ASecondResourceInOneGroupIsRefused) {
  ExportMetricsServiceRequest one;
  set(one.add_resource_metrics()->mutable_resource()->add_attributes(), "customer.id", "a");
  const std::string inner = one.resource_metrics(0).SerializeAsString();
  std::string body = "\x0a";
  body += static_cast<char>(2 * inner.size());
  body += inner + inner;
  Transcript transcript;
  const auto items = walk(Signal::kMetrics, body, transcript);
  ASSERT_FALSE(items.has_value());
  EXPECT_EQ(items.error().code, ErrorCode::kInvalid);
}

// R-OTLP-13, R-SEC-8.
TEST(Walker, UnknownFieldsArePassedOverAndGroupsRefused) {
  ExportMetricsServiceRequest request;
  request.add_resource_metrics()->add_scope_metrics()->add_metrics()->set_name("m");
  const std::string good = request.SerializeAsString();
  Transcript transcript;
  EXPECT_TRUE(walk(Signal::kMetrics, good + std::string("\xfa\x7d\x01z", 4), transcript));
  EXPECT_FALSE(walk(Signal::kMetrics, good + std::string("\xfb\x7d\xfc\x7d", 4), transcript));
}

TEST(Walker, NumbersSpansAndRecordsOverTheWholeBody) {
  ExportTraceServiceRequest traces;
  traces.add_resource_spans()->add_scope_spans()->add_spans()->set_name("one");
  traces.add_resource_spans()->add_scope_spans()->add_spans()->set_name("two");
  EXPECT_EQ(count_items(Signal::kTraces, traces.SerializeAsString()), 2U);
  ExportLogsServiceRequest logs;
  auto* scope = logs.add_resource_logs()->add_scope_logs();
  for (int i = 0; i < 5; ++i) scope->add_log_records()->set_severity_text("INFO");
  EXPECT_EQ(count_items(Signal::kLogs, logs.SerializeAsString()), 5U);
  EXPECT_EQ(count_items(Signal::kLogs, ""), 0U);
  EXPECT_FALSE(count_items(Signal::kLogs, "garbage").has_value());
}

class EmptyCount final : public Visitor {
 public:
  void on_item(std::uint32_t /*item*/, std::string_view /*bytes*/) override {}
  void on_empty() override { ++count; }
  std::uint32_t count = 0;
};

// B6: what holds no item costs its reader work too.
TEST(Walker, EnvelopesWithoutAnItemAreTold) {
  ExportMetricsServiceRequest request;
  request.add_resource_metrics();
  request.add_resource_metrics()->add_scope_metrics()->add_metrics()->set_name("empty");
  auto* metric = request.add_resource_metrics()->add_scope_metrics()->add_metrics();
  metric->mutable_gauge()->add_data_points();
  EmptyCount visitor;
  EXPECT_EQ(walk(Signal::kMetrics, request.SerializeAsString(), visitor), 1U);
  EXPECT_EQ(visitor.count, 4U);  // a resource; a resource, its scope and its metric
}

TEST(Walker, ABodyMostlyOfUnknownFieldsIsRefusedWhereALimitIsSet) {
  const std::string unknown = "\xfa\x3f\x64" + std::string(100, '\0');  // field 1023
  ExportMetricsServiceRequest known;
  auto* metric = known.add_resource_metrics()->add_scope_metrics()->add_metrics();
  metric->mutable_gauge()->add_data_points();
  EmptyCount visitor;
  const auto refused = [&](const std::string& body, std::size_t bytes) {
    const auto items = walk(Signal::kMetrics, body, visitor, {.unknown_bytes = bytes});
    if (items) return false;
    EXPECT_EQ(items.error().code, ErrorCode::kInvalid);
    EXPECT_NE(items.error().message.find("103 of its"), std::string::npos);
    return true;
  };
  const std::string body = known.SerializeAsString() + unknown;
  EXPECT_TRUE(walk(Signal::kMetrics, body, visitor).has_value());
  EXPECT_TRUE(refused(body, 102));
  EXPECT_FALSE(refused(body, 103));

  // In each kind of message.
  const auto inside = [&](auto change) {
    ExportMetricsServiceRequest request = known;
    change(*request.mutable_resource_metrics(0));
    return request.SerializeAsString();
  };
  EXPECT_TRUE(refused(inside([&](auto& r) { r.MergeFromString(unknown); }), 64));
  EXPECT_TRUE(
      refused(inside([&](auto& r) { r.mutable_scope_metrics(0)->MergeFromString(unknown); }), 64));
  const auto of_metric = [](auto& r) { return r.mutable_scope_metrics(0)->mutable_metrics(0); };
  EXPECT_TRUE(refused(inside([&](auto& r) { of_metric(r)->MergeFromString(unknown); }), 64));
  EXPECT_TRUE(refused(
      inside([&](auto& r) { of_metric(r)->mutable_gauge()->MergeFromString(unknown); }), 64));

  // Some new fields beside as much that is known are passed over.
  of_metric(*known.mutable_resource_metrics(0))->set_description(std::string(200, 'd'));
  EXPECT_FALSE(refused(known.SerializeAsString() + unknown, 64));
}

TEST(Walker, ABodyOverItsLimitsEndsThere) {
  ExportLogsServiceRequest logs;
  auto* scope = logs.add_resource_logs()->add_scope_logs();
  for (int i = 0; i < 5; ++i) scope->add_log_records();
  EmptyCount visitor;
  EXPECT_EQ(walk(Signal::kLogs, logs.SerializeAsString(), visitor, {.items = 5}), 5U);
  const auto over = walk(Signal::kLogs, logs.SerializeAsString(), visitor, {.items = 4});
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, ErrorCode::kTooLarge);
  EXPECT_NE(over.error().message.find("more than 4 log records"), std::string::npos);

  std::string empty;
  for (int i = 0; i < 1000; ++i) empty += std::string("\x0a\x00", 2);
  EXPECT_TRUE(walk(Signal::kMetrics, empty, visitor, {.empty_envelopes = 1000}).has_value());
  EXPECT_EQ(walk(Signal::kMetrics, empty, visitor, {.empty_envelopes = 999}).error().code,
            ErrorCode::kTooLarge);
}

TEST(Points, ScatteredAttributesBecomeOneRun) {
  opentelemetry::proto::metrics::v1::NumberDataPoint first;
  set(first.add_attributes(), "a", "1");
  first.set_as_double(4.5);
  opentelemetry::proto::metrics::v1::NumberDataPoint second;
  set(second.add_attributes(), "b", "2");
  second.set_time_unix_nano(7);
  const std::string scattered = first.SerializeAsString() + second.SerializeAsString();
  opentelemetry::proto::metrics::v1::NumberDataPoint whole;
  ASSERT_TRUE(whole.ParseFromString(scattered));
  PointReader reader;
  const std::string canonical = whole.SerializeAsString();
  const std::string run(reader.number(canonical).attributes.bytes);
  const NumberPoint& point = reader.number(scattered);
  EXPECT_EQ(point.attributes.bytes, run);
  EXPECT_EQ(point.value, 4.5);
  EXPECT_EQ(point.time_ns, 7U);
}

// The short way through a point meets every cut and every order of its fields as the general one
// does: protobuf's own parser says what is sound.
TEST(Points, APointIsReadOrRefusedAsProtobufDoesWhereverItIsCut) {
  opentelemetry::proto::metrics::v1::NumberDataPoint attributes;
  set(attributes.add_attributes(), "k", std::string(100, 'v'));
  set(attributes.add_attributes(), "long", std::string(300, 'w'));
  set(attributes.add_attributes(), "l", "x");
  opentelemetry::proto::metrics::v1::NumberDataPoint value;
  value.set_as_int(-3);
  value.set_flags(1);
  value.set_start_time_unix_nano(5);
  const std::string a = attributes.SerializeAsString();
  const std::string v = value.SerializeAsString();
  PointReader reader;
  for (const std::string& whole : {a + v, v + a, a + v + a}) {
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const std::string cut = whole.substr(0, size);
      opentelemetry::proto::metrics::v1::NumberDataPoint expected;
      if (!expected.ParseFromString(cut)) {
        EXPECT_THROW((void)reader.number(cut), protozero::exception) << size;
        continue;
      }
      const NumberPoint& point = reader.number(cut);
      EXPECT_EQ(point.value, expected.has_as_int() ? -3 : 0) << size;
      EXPECT_EQ(point.start_ns, expected.start_time_unix_nano()) << size;
      int count = 0;
      for_each_attribute(point.attributes, [&](const KeyValueView& /*each*/) { ++count; });
      EXPECT_EQ(count, expected.attributes_size()) << size;
    }
  }
}

// Keys and values of every length around the limits of the short way, sound and broken.
TEST(Items, TextsOfAttributesAreUtf8WhateverTheirLength) {
  const auto is_valid = [](const std::string& key, const std::string& value) {
    std::string record;
    protozero::pbf_writer writer(record);
    {
      protozero::pbf_writer entry(writer, 6);
      entry.add_string(1, key);
      protozero::pbf_writer any(entry, 2);
      any.add_string(1, value);
    }
    return is_valid_log_record(record);
  };
  for (const std::size_t size : {0,  1,  2,   3,   4,   5,   7,   8,   9,   15,  16,  17,
                                 64, 65, 121, 122, 123, 124, 125, 126, 127, 128, 129, 300}) {
    const std::string text(size, 'a');
    EXPECT_TRUE(is_valid(text, text)) << size;
    EXPECT_TRUE(is_valid(text + "\xc3\xb1", "\xc3\xb1" + text)) << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string broken = text;
      broken[at] = '\xff';
      EXPECT_FALSE(is_valid(broken, text)) << size << " " << at;
      EXPECT_FALSE(is_valid(text, broken)) << size << " " << at;
    }
    EXPECT_FALSE(is_valid(text + "\xc3", "\xb1" + text)) << "a character across two texts";
  }
}

TEST(Items, ASpanNeedsItsIds) {
  opentelemetry::proto::trace::v1::Span span;
  span.set_name("GET /");
  EXPECT_FALSE(is_valid_span(span.SerializeAsString()));
  span.set_trace_id(std::string(16, '\x01'));
  span.set_span_id(std::string(8, '\x00'));
  EXPECT_FALSE(is_valid_span(span.SerializeAsString()));
  span.set_span_id(std::string(8, '\x02'));
  EXPECT_TRUE(is_valid_span(span.SerializeAsString()));
  span.add_events()->set_name("\xc3\x28");
  EXPECT_FALSE(is_valid_span(span.SerializeAsString()));
}

}  // namespace
}  // namespace vigia::wire::otlp
