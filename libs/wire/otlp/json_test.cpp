#include "libs/wire/otlp/json.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "libs/wire/otlp/walker.hpp"

namespace vigia::wire::otlp {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

template <typename Request>
Request converted(Signal signal, const std::string& json) {
  auto bytes = json_to_protobuf(signal, json);
  EXPECT_TRUE(bytes.has_value()) << (bytes ? "" : bytes.error().message);
  Request request;
  EXPECT_TRUE(request.ParseFromString(bytes.value_or("")));
  return request;
}

std::string attribute(const std::string& value) {
  return R"({"resourceLogs":[{"resource":{"attributes":[{"key":"k","value":)" + value + R"(}]}}]})";
}

opentelemetry::proto::common::v1::AnyValue value_of(const std::string& value) {
  const auto request = converted<ExportLogsServiceRequest>(Signal::kLogs, attribute(value));
  return request.resource_logs(0).resource().attributes(0).value();
}

bool is_refused(Signal signal, const std::string& json) {
  const auto bytes = json_to_protobuf(signal, json);
  return !bytes && bytes.error().code == ErrorCode::kInvalid;
}

// R-JSON-1, C22.
TEST(Json, IdsAreHexInEitherCaseAndNotBase64) {
  const std::string before = R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":")";
  const std::string good =
      before + R"(5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174",)"
               R"("kind":2,"name":"n","startTimeUnixNano":"1544712660000000000"}]}]}]})";
  const auto request = converted<ExportTraceServiceRequest>(Signal::kTraces, good);
  const auto& span = request.resource_spans(0).scope_spans(0).spans(0);
  EXPECT_EQ(span.trace_id(), std::string("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f"
                                         "\xc6\x0c",
                                         16));
  EXPECT_EQ(span.start_time_unix_nano(), 1544712660000000000ULL);
  EXPECT_EQ(span.kind(), 2);
  EXPECT_TRUE(is_refused(Signal::kTraces, before + R"(W47/95gDgQPSabYzgT/GDA=="}]}]}]})"));
  EXPECT_TRUE(is_refused(Signal::kTraces, before + std::string(31, 'a') + R"("}]}]}]})"));
}

// R-OTLP-7.
TEST(Json, ARefusalSaysWhereItStands) {
  const auto told = [](const std::string& json) {
    const auto bytes = json_to_protobuf(Signal::kTraces, json);
    return bytes ? "taken" : bytes.error().message;
  };
  EXPECT_EQ(
      told(R"({"resourceSpans":[{},{"scopeSpans":[{"spans":[{},{},{"traceId":"?"}]}]}]})"),
      "not OTLP/JSON, at resourceSpans[1].scopeSpans[0].spans[2].traceId: \"traceId\" must be "
      "16 or 32 hexadecimal digits");
  EXPECT_EQ(told(R"({"resourceSpans":{}})"),
            "not OTLP/JSON, at resourceSpans: \"resourceSpans\" must be a list");
  EXPECT_EQ(told(R"({"resourceSpans":[{"resource":{"attributes":[7]}}]})"),
            "not OTLP/JSON, at resourceSpans[0].resource.attributes[0]: \"attributes\" must be an "
            "object");
}

// R-JSON-3, R-JSON-5, R-JSON-6, C23.
TEST(Json, NumbersMayBeTexts) {
  EXPECT_EQ(value_of(R"({"intValue":"9007199254740993"})").int_value(), 9007199254740993);
  EXPECT_EQ(value_of(R"({"intValue":7})").int_value(), 7);
  EXPECT_EQ(value_of(R"({"intValue":-9223372036854775808})").int_value(), INT64_MIN);
  EXPECT_EQ(value_of(R"({"doubleValue":"1.5"})").double_value(), 1.5);
  EXPECT_EQ(value_of(R"({"doubleValue":3})").double_value(), 3);
  EXPECT_TRUE(std::isnan(value_of(R"({"doubleValue":"NaN"})").double_value()));
  EXPECT_TRUE(std::isinf(value_of(R"({"doubleValue":"-Infinity"})").double_value()));
  EXPECT_FALSE(value_of(R"({"doubleValue":null})").has_double_value());
  EXPECT_TRUE(value_of(R"({"arrayValue":{}})").has_array_value());
  EXPECT_EQ(value_of(R"({"stringValue":"x","foo":[1,{"a":null}]})").string_value(), "x");
  EXPECT_EQ(value_of(R"({"bytesValue":"aGVsbG8="})").bytes_value(), "hello");
  for (const char* bad :
       {R"({"doubleValue":" 1.5"})", R"({"intValue":"0x7"})", R"({"intValue":1.5})",
        R"({"stringValue":7})", R"({"boolValue":"true"})", R"(7)",
        R"({"intValue":"9223372036854775808"})", R"({"bytesValue":"*"})"}) {
    EXPECT_TRUE(is_refused(Signal::kLogs, attribute(bad))) << bad;
  }
}

// D29: what ProtoJSON takes for a whole number, and what it does not.
TEST(Json, WholeNumbersMayBeWrittenAsFractionsThatAreNone) {
  const auto whole = [](const std::string& text) {
    return value_of(R"({"intValue":)" + text + "}").int_value();
  };
  EXPECT_EQ(whole("5.0"), 5);
  EXPECT_EQ(whole("5e0"), 5);
  EXPECT_EQ(whole(R"("5e0")"), 5);
  const auto time = [](const std::string& text) {
    const auto request = converted<ExportLogsServiceRequest>(
        Signal::kLogs,
        R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":)" + text + "}]}]}]}");
    return request.resource_logs(0).scope_logs(0).log_records(0).time_unix_nano();
  };
  EXPECT_EQ(time("1.8e18"), 1'800'000'000'000'000'000U);
  EXPECT_EQ(time(R"("1.8e18")"), 1'800'000'000'000'000'000U);
  for (const char* bad : {"5.5", R"("5.5")", "9223372036854775808", "9.3e18", "true", R"("+5")",
                          R"("")", R"("5 ")"}) {
    EXPECT_TRUE(is_refused(Signal::kLogs, attribute(R"({"intValue":)" + std::string(bad) + "}")))
        << bad;
  }
}

TEST(Json, TextsAndKeysMayBeEscaped) {
  EXPECT_EQ(value_of(R"({"stringValue":"a\\\"\n\u00e9\ud83d\ude00"})").string_value(),
            "a\\\"\n\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(value_of(R"({"stringValue":"a\\"})").string_value(), "a\\");
  EXPECT_EQ(value_of(R"({"stringValue":""})").string_value(), "");
  EXPECT_EQ(value_of(R"({"string\u0056alue":"x"})").string_value(), "x");
  EXPECT_EQ(value_of(R"({"int\u0056alue":"\u0037"})").int_value(), 7);
  // A longer one after a shorter one, in the same room.
  const std::string longer = R"([{"stringValue":"\t1"},{"stringValue":"\t)" +
                             std::string(5000, 'x') + R"("},{"stringValue":"\t2"}])";
  const auto values = value_of(R"({"arrayValue":{"values":)" + longer + "}}").array_value();
  EXPECT_EQ(values.values(0).string_value(), "\t1");
  EXPECT_EQ(values.values(1).string_value().size(), 5001U);
  EXPECT_EQ(values.values(2).string_value(), "\t2");
  for (const char* bad : {R"("\x")", R"("\u12g4")", R"("\ud800")", R"("\udc00x")"}) {
    EXPECT_TRUE(is_refused(Signal::kLogs, attribute(R"({"stringValue":)" + std::string(bad) + "}")))
        << bad;
    EXPECT_TRUE(is_refused(Signal::kLogs, attribute("{" + std::string(bad) + ":7}"))) << bad;
    EXPECT_TRUE(is_refused(Signal::kLogs, attribute(R"({"x":)" + std::string(bad) + "}"))) << bad;
  }
}

TEST(Json, AnEmptyMessageAtAnyLevelIsStillThere) {
  const auto request = converted<ExportLogsServiceRequest>(
      Signal::kLogs, R"({"resourceLogs":[{},{"resource":{},"scopeLogs":[{},{"scope":{}}]}]})");
  ASSERT_EQ(request.resource_logs_size(), 2);
  EXPECT_FALSE(request.resource_logs(0).has_resource());
  EXPECT_TRUE(request.resource_logs(1).has_resource());
  ASSERT_EQ(request.resource_logs(1).scope_logs_size(), 2);
  EXPECT_FALSE(request.resource_logs(1).scope_logs(0).has_scope());
  EXPECT_TRUE(request.resource_logs(1).scope_logs(1).has_scope());
}

// R-JSON-2, R-JSON-4.
TEST(Json, EnumsAreIntegersAndKeysAreLowerCamel) {
  const std::string before = R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":{)";
  const std::string after = R"(}}]}]}]})";
  const auto request = converted<ExportMetricsServiceRequest>(
      Signal::kMetrics, before + R"("aggregationTemporality":2,"isMonotonic":true)" + after);
  const auto& sum = request.resource_metrics(0).scope_metrics(0).metrics(0).sum();
  EXPECT_EQ(sum.aggregation_temporality(), 2);
  EXPECT_TRUE(sum.is_monotonic());
  const std::string spelled = R"("aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA")";
  EXPECT_TRUE(is_refused(Signal::kMetrics, before + spelled + after));
  const auto snake = converted<ExportMetricsServiceRequest>(
      Signal::kMetrics, before + R"("is_monotonic":true)" + after);
  EXPECT_FALSE(snake.resource_metrics(0).scope_metrics(0).metrics(0).sum().is_monotonic());
}

// R-JSON-3. What names nothing that is known is no empty request.
TEST(Json, UnknownKeysAloneAreAnUnknownField) {
  const auto bytes = [](std::string_view json) {
    return json_to_protobuf(Signal::kTraces, json).value();
  };
  EXPECT_EQ(bytes("{}"), "");
  EXPECT_EQ(bytes(R"({"resourceSpans":[]})"), "");
  const std::string unknown = bytes(R"({"resource_spans":[{"scope_spans":[]}]})");
  EXPECT_NE(unknown.find("resource_spans"), std::string::npos);
  EXPECT_EQ(count_items(Signal::kTraces, unknown), 0U);
  EXPECT_EQ(bytes(R"({"later":1,"resourceSpans":[{}]})"), std::string("\x0a\x00", 2));
}

TEST(Json, AWholeHistogramComesThrough) {
  const auto request = converted<ExportMetricsServiceRequest>(Signal::kMetrics, R"(
    {"resourceMetrics":[{"resource":{"attributes":[]},"scopeMetrics":[{"scope":{"name":"s"},
     "metrics":[{"name":"h","unit":"s","histogram":{"aggregationTemporality":2,"dataPoints":[
       {"startTimeUnixNano":"1","timeUnixNano":2,"count":"3","sum":1.5,"bucketCounts":["1",2],
        "explicitBounds":[0.5],"flags":0,"min":0.1,"max":1}]}}]}]}]})");
  const auto& point =
      request.resource_metrics(0).scope_metrics(0).metrics(0).histogram().data_points(0);
  EXPECT_EQ(point.count(), 3U);
  EXPECT_EQ(point.bucket_counts(1), 2U);
  EXPECT_EQ(point.explicit_bounds(0), 0.5);
  EXPECT_EQ(point.sum(), 1.5);
}

TEST(Json, AnEmptyPointIsStillAPoint) {
  const auto request = converted<ExportMetricsServiceRequest>(
      Signal::kMetrics,
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{}]}}]}]}]})");
  EXPECT_EQ(request.resource_metrics(0).scope_metrics(0).metrics(0).gauge().data_points_size(), 1);
}

// R-SEC-8.
TEST(Json, DamageIsRefusedAndDepthIsBounded) {
  for (const char* bad : {"", "{broken", "[]", "7", "{\"resourceLogs\":7}", "{} {}", "{\"x\":tru}",
                          "{\"resourceLogs\":[null]}", "{\"x\":\"\xff\"}"}) {
    EXPECT_TRUE(is_refused(Signal::kLogs, bad)) << bad;
  }
  std::string deep = "{\"x\":";
  for (int i = 0; i < 5000; ++i) deep += "[";
  EXPECT_TRUE(is_refused(Signal::kLogs, deep));
  EXPECT_TRUE(converted<ExportLogsServiceRequest>(Signal::kLogs, "{}").resource_logs().empty());
}

TEST(Json, WhatWouldTakeTheParserMuchMemoryIsTooLarge) {
  const auto code_of = [](const std::string& json) {
    const auto bytes = json_to_protobuf(Signal::kLogs, json);
    return bytes ? std::optional<ErrorCode>() : bytes.error().code;
  };
  const auto padded = [](std::size_t bytes) {
    const std::string frame = R"({"unknown":""})";
    return frame.substr(0, frame.size() - 2) + std::string(bytes - frame.size(), 'x') + "\"}";
  };
  EXPECT_EQ(code_of(padded(kJsonBytesMax)), std::nullopt);
  EXPECT_EQ(code_of(padded(kJsonBytesMax + 1)), ErrorCode::kTooLarge);
  const auto empty_objects = [](std::size_t marks) {
    std::string json = R"({"unknown":[)";  // with its end 8 marks, with the last object's comma 7
    json.reserve(marks + 100);
    for (std::size_t i = 7; i + 3 <= marks; i += 3) json += "{},";
    json.pop_back();
    return json + "]}";
  };
  EXPECT_EQ(code_of(empty_objects(kJsonMarksMax)), std::nullopt);
  EXPECT_EQ(code_of(empty_objects(kJsonMarksMax + 100)), ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace vigia::wire::otlp
