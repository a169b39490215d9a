// What each customer may send: series, rates, its share of what lies aside.
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <protozero/pbf_writer.hpp>

#include "libs/model/customer_signal.hpp"
#include "services/collector/intake/limits.hpp"
#include "services/collector/intake/testing/intake_fixture.hpp"

namespace vigia::collector::intake {
namespace {

using testing::MetricsBody;
using testing::one_gauge;

TEST_F(IntakeTest, NewSeriesOverTheLimitAreRefusedAndKnownOnesGoOn) {
  customer_.limits.active_series = 2;
  for (const char* name : {"a", "b"})
    EXPECT_EQ(take(one_gauge("cliente-a", name, now()))->rejected, 0U);
  EXPECT_EQ(take(one_gauge("cliente-a", "c", now()))->rejected, 1U);
  EXPECT_EQ(take(one_gauge("cliente-a", "a", now() + 1000))->rejected, 0U);
}

/// A gauge with `labels` labels of 2,000 bytes.
std::string wide_gauge(const std::string& name, int labels, std::int64_t time_ms) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto& resource = *request.add_resource_metrics();
  auto& id = *resource.mutable_resource()->add_attributes();
  id.set_key("customer.id");
  id.mutable_value()->set_string_value("cliente-a");
  auto& metric = *resource.add_scope_metrics()->add_metrics();
  metric.set_name(name);
  auto& point = *metric.mutable_gauge()->add_data_points();
  point.set_time_unix_nano(static_cast<std::uint64_t>(time_ms) * 1'000'000);
  point.set_as_double(1);
  for (int i = 0; i < labels; ++i) {
    auto& attribute = *point.add_attributes();
    attribute.set_key("key_" + std::to_string(i));
    attribute.mutable_value()->set_string_value(std::string(2000, 'x'));
  }
  return request.SerializeAsString();
}

// What the cache puts out for room stays in the stores: a limit that counts what is in the cache
// alone lets a customer make series without end.
TEST_F(IntakeTest, TheLimitOfActiveSeriesHoldsBeyondTheCache) {
  series::SeriesCache small({.bytes_max = 100'000}, clock_);
  Intake intake(exporters_, settings_,
                IntakeParts{nullptr, small, [this] { return directory_; }, books_, metrics_, clock_,
                            &side_shares_});
  customer_.limits.active_series = 200;
  std::uint64_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    intake.take(customer_,
                {Signal::kMetrics, "grpc", wide_gauge("m" + std::to_string(i), 1, now())},
                [&](const Result<Receipt>& receipt) { taken += 1 - receipt->rejected; });
  }
  EXPECT_EQ(taken, 100U) << "two KiB of labels each";
  // The first one is known still, though the cache has let it go.
  intake.take(customer_, {Signal::kMetrics, "grpc", wide_gauge("m0", 1, now() + 1)},
              [&](const Result<Receipt>& receipt) { EXPECT_EQ(receipt->rejected, 0U); });
}

// Each is silent for good after one sample, and out of the cache after 20 minutes: a store has all
// of them in memory for up to three hours.
TEST_F(IntakeTest, TheLimitOfActiveSeriesHoldsForThoseThatCameAndWent) {
  customer_.limits.active_series = 200;
  std::uint64_t taken = 0;
  const auto send = [&](int first) {
    for (int i = first; i < first + 100; ++i)
      taken += 1 - take(one_gauge("cliente-a", "m" + std::to_string(i), now()))->rejected;
  };
  for (int round = 0; round < 4; ++round) {
    send(round * 100);
    clock_.advance(std::chrono::minutes(25));
  }
  EXPECT_EQ(taken, 200U);
  clock_.advance(std::chrono::hours(3));
  send(400);
  EXPECT_EQ(taken, 300U);
}

TEST_F(IntakeTest, ASeriesWithMuchTextCountsForItsKibibytes) {
  customer_.limits.active_series = 100;
  std::uint64_t taken = 0;
  for (int i = 0; i < 20; ++i)
    taken += 1 - take(wide_gauge("m" + std::to_string(i), 30, now()))->rejected;
  EXPECT_EQ(taken, 1U) << "58 KiB of labels each";
}

opentelemetry::proto::metrics::v1::Metric& metric_of_customer(
    opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest& request) {
  auto& resource = *request.add_resource_metrics();
  auto& id = *resource.mutable_resource()->add_attributes();
  id.set_key("customer.id");
  id.mutable_value()->set_string_value("cliente-a");
  auto& metric = *resource.add_scope_metrics()->add_metrics();
  metric.set_name("h");
  return metric;
}

TEST_F(IntakeTest, AHistogramIsChargedAsManyValuesAsItHasSeries) {
  customer_.limits.points_per_second = 10;
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto& metric = metric_of_customer(request);
  metric.mutable_histogram()->set_aggregation_temporality(
      opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto& point = *metric.mutable_histogram()->add_data_points();
  point.set_time_unix_nano(static_cast<std::uint64_t>(now()) * 1'000'000);
  point.set_count(0);
  for (int i = 0; i < 20; ++i) point.add_explicit_bounds(i);
  for (int i = 0; i < 21; ++i) point.add_bucket_counts(0);
  int taken = 0;
  while (taken < 100 && take(request.SerializeAsString())) ++taken;
  EXPECT_LE(taken, 10) << "22 values each, of ten a second";
}

TEST_F(IntakeTest, AnExponentialHistogramIsChargedByItsBuckets) {
  customer_.limits.points_per_second = 10;
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto& metric = metric_of_customer(request);
  metric.mutable_exponential_histogram()->set_aggregation_temporality(
      opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto& point = *metric.mutable_exponential_histogram()->add_data_points();
  point.set_time_unix_nano(static_cast<std::uint64_t>(now()) * 1'000'000);
  point.set_scale(5);
  point.set_count(320);
  point.set_sum(1);
  for (int i = 0; i < 320; ++i) point.mutable_positive()->add_bucket_counts(1);
  int taken = 0;
  while (taken < 200 && take(request.SerializeAsString())) ++taken;
  EXPECT_GE(taken, 4);
  EXPECT_LE(taken, 11) << "20 values each, of ten a second";
}

TEST_F(IntakeTest, OverTheRateTheRequestMayComeAgainLater) {
  customer_.limits.points_per_second = 1;
  Result<Receipt> receipt = take(one_gauge("cliente-a", "m", now()));
  for (int i = 0; i < 20 && receipt; ++i) receipt = take(one_gauge("cliente-a", "m", now()));
  ASSERT_FALSE(receipt.has_value());
  EXPECT_TRUE(is_retryable(receipt.error()));
  EXPECT_TRUE(receipt.error().retry_after.has_value());
  clock_.advance(std::chrono::seconds(5));
  EXPECT_TRUE(take(one_gauge("cliente-a", "m", now())).has_value());
  EXPECT_EQ(books().received, books().rejected + books().queued);
}

TEST_F(IntakeTest, SpansRecordsAndBytesHaveRatesToo) {
  customer_.limits.spans_per_second = 1;
  customer_.limits.log_records_per_second = 1;
  const std::string records = records_of(repeated(std::string_view("\x12\x00", 2), 100));
  EXPECT_TRUE(take(records, Signal::kLogs).has_value());
  const auto logs = take(records, Signal::kLogs);
  ASSERT_FALSE(logs.has_value());
  EXPECT_EQ(logs.error().code, ErrorCode::kOverLimit);
  EXPECT_NE(logs.error().message.find("log_records_per_second of 1; send again in"),
            std::string::npos);
  EXPECT_EQ(books(Signal::kLogs).rejected, 100U);
  EXPECT_TRUE(take(testing::one_span("cliente-a"), Signal::kTraces).has_value());
  customer_.limits = {.bytes_per_second = 1};
  const std::string filler =
      "\xfa\x7d" + std::string("\x80\x80\xc0\x01") + std::string(3U << 20U, 'z');
  EXPECT_TRUE(take(testing::one_span("cliente-a") + filler, Signal::kTraces).has_value());
  const auto bytes = take(testing::one_span("cliente-a"), Signal::kTraces);
  ASSERT_FALSE(bytes.has_value());
  EXPECT_NE(bytes.error().message.find("bytes_per_second of 1"), std::string::npos);
}

// It was converted first: 24 ms of CPU for each 8 MiB of a customer that is refused.
TEST_F(IntakeTest, JsonOfWhoMayNotSendIsNotRead) {
  const auto take_json = [this](std::string body) {
    std::promise<Result<Receipt>> answer;
    ExportRequest request{Signal::kLogs, "http", std::move(body), true};
    intake().take(customer_, std::move(request),
                  [&answer](Result<Receipt> receipt) { answer.set_value(std::move(receipt)); });
    return answer.get_future().get();
  };
  const std::string line = R"({"resourceLogs":[{"resource":{"attributes":[{"key":"customer.id",
    "value":{"stringValue":"cliente-a"}}]},"scopeLogs":[{"logRecords":[
    {"timeUnixNano":"1800000000000000000","body":{"stringValue":"hello"}}]}]}]})";
  ASSERT_EQ(take_json(line)->items, 1U);
  EXPECT_NE(next_record()->body.find("hello"), std::string::npos);
  EXPECT_EQ(take_json("{no json").error().code, ErrorCode::kInvalid);
  side_shares_.publish("otlphttp/cold", {{customer_.id, {2, 1}}});
  EXPECT_EQ(take_json("{no json").error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(books(Signal::kLogs).rejected, 1U);
  side_shares_.publish("otlphttp/cold", {});
  // The text is what is charged, also where nothing can be made of it.
  customer_.limits.bytes_per_second = 1'000'000;
  const std::string broken = "{\"resourceLogs\":[" + std::string(11'000'000, ' ');
  EXPECT_EQ(take_json(broken).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(take_json("{no json").error().code, ErrorCode::kOverLimit);
}

// Every multiplication is charged: what grows more than ordinary data does pays for it.
TEST_F(IntakeTest, WhatGrowsIsChargedAsBytes) {
  customer_.limits.bytes_per_second = 1;  // 4 MiB at once, at most
  MetricsBody body;
  body.resource("cliente-a", {{"node.region", std::string(2'000, 'x')}});
  for (int i = 0; i < 40'000; ++i) body.gauge("m", now());  // 80 MB of labels
  EXPECT_EQ(take(body.bytes()).error().code, ErrorCode::kTooLarge);
}

TEST_F(IntakeTest, WhoIsAtItsShareAsideIsRefusedRetryablyAndNobodyElse) {
  const tenancy::Customer neighbour{*CustomerId::parse("cliente-b"), "B", "hot-0", {}, 0};
  const tenancy::Customer greedy = customer_;
  const auto take_of = [this](const tenancy::Customer& customer, Signal signal) {
    customer_ = customer;
    return signal == Signal::kMetrics ? take(one_gauge(customer.id.text(), "m", now()))
                                      : take(testing::one_span(customer.id.text()), signal);
  };
  exporters::ExporterSettings other;
  other.id = "otlphttp/traces";
  other.signals = {Signal::kTraces};
  exporters_.push_back(other);
  EXPECT_TRUE(take_of(greedy, Signal::kMetrics).has_value());
  side_shares_.publish("otlphttp/cold", {{greedy.id, {300U << 20U, 256U << 20U}}});
  const auto refused = take_of(greedy, Signal::kMetrics);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
  EXPECT_TRUE(refused.error().retry_after.has_value());
  EXPECT_NE(refused.error().message.find("300.0 MiB of cliente-a wait for otlphttp/cold"),
            std::string::npos);
  EXPECT_NE(refused.error().message.find("send again later"), std::string::npos);
  EXPECT_EQ(books().rejected, 1U);
  EXPECT_NE(metrics_.expose(false).find("reason=\"side_share\""), std::string::npos);
  EXPECT_EQ(appended(), 1U);
  EXPECT_TRUE(take_of(neighbour, Signal::kMetrics).has_value());
  // Elsewhere only what goes there is refused.
  side_shares_.publish("otlphttp/cold", {});
  side_shares_.publish("otlphttp/traces", {{greedy.id, {2, 1}}});
  EXPECT_FALSE(take_of(greedy, Signal::kTraces).has_value());
  EXPECT_TRUE(take_of(greedy, Signal::kMetrics).has_value());
  side_shares_.publish("otlphttp/traces", {});
  EXPECT_TRUE(take_of(greedy, Signal::kTraces).has_value());
}

}  // namespace
}  // namespace vigia::collector::intake
