#include "services/collector/exporters/debug/item_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/logs/v1/logs.pb.h>
#include <opentelemetry/proto/metrics/v1/metrics.pb.h>
#include <opentelemetry/proto/trace/v1/trace.pb.h>

namespace vigia::collector::exporters::debug {
namespace {

using ::testing::HasSubstr;
using wire::otlp::MetricKind;
namespace proto = opentelemetry::proto;

TEST(ItemText, ASpanIsOtlpJson) {
  proto::trace::v1::Span span;
  span.set_trace_id(std::string(16, '\x1f'));
  span.set_span_id(std::string(8, '\x02'));
  span.set_name("GET \"/\"");
  span.set_kind(proto::trace::v1::Span::SPAN_KIND_SERVER);
  span.set_start_time_unix_nano(1'700'000'000'000'000'001);
  auto& pair = *span.add_attributes();
  pair.set_key("http.status");
  pair.mutable_value()->set_int_value(-2);
  auto& list = *span.add_attributes();
  list.set_key("list");
  list.mutable_value()->mutable_array_value()->add_values()->set_bool_value(true);
  list.mutable_value()->mutable_array_value()->add_values()->set_double_value(0.5);
  span.add_events()->set_name("began");
  EXPECT_EQ(
      json_of(ShownPart::kSpan, span.SerializeAsString()),
      R"({"traceId":"1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f","spanId":"0202020202020202","name":"GET \"/\"","kind":2,)"
      R"("startTimeUnixNano":"1700000000000000001","attributes":[{"key":"http.status","value":{"intValue":"-2"}},)"
      R"({"key":"list","value":{"arrayValue":{"values":[{"boolValue":true},{"doubleValue":0.5}]}}}],"events":[{"name":"began"}]})");
}

TEST(ItemText, PackedAndSignedNumbersOfPoints) {
  proto::metrics::v1::HistogramDataPoint histogram;
  histogram.set_count(3);
  histogram.set_sum(7.5);
  histogram.add_bucket_counts(1);
  histogram.add_bucket_counts(2);
  histogram.add_explicit_bounds(0.25);
  const std::string bytes = histogram.SerializeAsString();
  EXPECT_EQ(json_of(ShownPart::kPoint, bytes, MetricKind::kHistogram),
            R"({"count":"3","sum":7.5,"bucketCounts":["1","2"],"explicitBounds":[0.25]})");
  EXPECT_EQ(value_text(MetricKind::kHistogram, bytes), "count=3 sum=7.5");
  proto::metrics::v1::ExponentialHistogramDataPoint exponential;
  exponential.set_scale(-3);
  exponential.mutable_positive()->set_offset(-7);
  exponential.mutable_positive()->add_bucket_counts(300);
  EXPECT_EQ(json_of(ShownPart::kPoint, exponential.SerializeAsString(),
                    MetricKind::kExponentialHistogram),
            R"({"scale":-3,"positive":{"offset":-7,"bucketCounts":["300"]}})");
  proto::metrics::v1::NumberDataPoint number;
  number.set_as_int(-5);
  EXPECT_EQ(json_of(ShownPart::kPoint, number.SerializeAsString(), MetricKind::kGauge),
            R"({"asInt":"-5"})");
  EXPECT_EQ(value_text(MetricKind::kGauge, number.SerializeAsString()), "-5");
}

TEST(ItemText, WhatIsLongIsCutBehindAWholeCharacter) {
  proto::logs::v1::LogRecord record;
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "ñ";
  record.mutable_body()->set_string_value(text);
  const std::string json = json_of(ShownPart::kLogRecord, record.SerializeAsString());
  EXPECT_LE(json.size(), kTextBytesMax + 3);
  EXPECT_TRUE(json.ends_with("ñ…"));
}

TEST(ItemText, DamageAndUnknownFieldsAreLeftOut) {
  EXPECT_EQ(json_of(ShownPart::kSpan, "\x2a\x7fshort").substr(0, 1), "{");
  EXPECT_EQ(json_of(ShownPart::kScope, "\x08\x01\xfa\x01\x01x\x12\x01y"), R"({"version":"y"})");
}

TEST(ItemText, AttributesOnOneLine) {
  proto::logs::v1::LogRecord record;
  for (const char* key : {"a", "b"}) {
    auto& pair = *record.add_attributes();
    pair.set_key(key);
    pair.mutable_value()->set_string_value("x");
  }
  EXPECT_EQ(attributes_text({record.SerializeAsString(), 6}), "a=x b=x");
}

}  // namespace
}  // namespace vigia::collector::exporters::debug
