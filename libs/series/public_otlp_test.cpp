#include "libs/series/public_otlp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

#include "libs/series/prometheus_body.hpp"
#include "libs/wire/prometheus/verbatim.hpp"
#include "libs/wire/remote_write/native_histogram.hpp"

namespace vigia::series {
namespace {

namespace protocol = wire::remote_write;

using Request = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using testing::ElementsAre;

constexpr TimestampMs kTimeMs = 1'800'000'000'123;

std::string own_form(const std::string& message) {
  return read_remote_write(*CustomerId::parse("cliente-a"), WriteVersion::k1,
                           protocol::compress_request(message))
      ->body;
}

std::string labels(const char* name) {
  return protocol::encode_labels(Labels::from({{"__name__", name}, {"a", "b"}}));
}

/// The metrics of the one scope that there is.
auto published(const std::string& body, std::uint32_t left_out = 0) {
  const auto made = to_public_otlp(body);
  EXPECT_TRUE(made);
  EXPECT_EQ(made->left_out, left_out);
  EXPECT_FALSE(has_own_form(made->body));
  Request request;
  EXPECT_TRUE(request.ParseFromString(made->body));
  EXPECT_EQ(request.resource_metrics_size(), 1);
  EXPECT_EQ(request.resource_metrics(0).resource().attributes(0).value().string_value(),
            "cliente-a");
  return request.resource_metrics(0).scope_metrics(0).metrics();
}

std::string histogram_message(const protocol::NativeHistogram& histogram) {
  std::string message;
  protocol::append_histogram(message, labels("h"), protocol::encode_histogram(histogram, kTimeMs));
  return message;
}

TEST(PublicOtlp, NumbersStayAndExemplarsAloneAreLeftOut) {
  std::string exemplar;
  protocol::append_exemplar(exemplar, Labels::from({{"trace_id", "x"}}), {kTimeMs, 1});
  std::string message;
  protocol::append_sample(message, labels("m"), {kTimeMs, 2.5}, exemplar);
  const std::string body = own_form(message);
  ASSERT_TRUE(has_own_form(body));
  const auto metrics = published(body, 1);
  ASSERT_EQ(metrics.size(), 1);
  EXPECT_EQ(metrics[0].name(), "m");
  ASSERT_EQ(metrics[0].gauge().data_points_size(), 1);
  EXPECT_EQ(metrics[0].gauge().data_points(0).as_double(), 2.5);
  EXPECT_EQ(metrics[0].gauge().data_points(0).attributes(0).value().string_value(), "b");
}

protocol::NativeHistogram histogram_of() {
  protocol::NativeHistogram histogram;
  histogram.schema = 3;
  histogram.sum = 7.5;
  histogram.count = 10;
  histogram.zero_count = 1;
  histogram.zero_threshold = 0.001;
  histogram.positive = {{{2, 2}, {1, 1}}, {1, 1, 0}, {}};  // 2: 1, 3: 2, 5: 2
  histogram.negative = {{{-4, 1}}, {4}, {}};
  return histogram;
}

TEST(PublicOtlp, NativeHistogramsAreExponential) {
  const auto metrics = published(own_form(histogram_message(histogram_of())));
  ASSERT_EQ(metrics.size(), 1);
  const auto& point = metrics[0].exponential_histogram().data_points(0);
  EXPECT_EQ(metrics[0].exponential_histogram().aggregation_temporality(), 2);
  EXPECT_EQ(point.time_unix_nano(), static_cast<std::uint64_t>(kTimeMs) * 1'000'000);
  EXPECT_EQ(point.scale(), 3);
  EXPECT_EQ(point.count(), 10U);
  EXPECT_EQ(point.sum(), 7.5);
  EXPECT_EQ(point.zero_count(), 1U);
  EXPECT_EQ(point.zero_threshold(), 0.001);
  EXPECT_EQ(point.positive().offset(), 1);
  EXPECT_THAT(point.positive().bucket_counts(), ElementsAre(1, 2, 0, 2));
  EXPECT_EQ(point.negative().offset(), -5);
  EXPECT_THAT(point.negative().bucket_counts(), ElementsAre(4));
  EXPECT_EQ(point.attributes(0).key(), "a");
}

TEST(PublicOtlp, CustomBucketsAreExplicitAndFloatsWholeNumbers) {
  protocol::NativeHistogram histogram;
  histogram.schema = protocol::kCustomSchema;
  histogram.is_float = true;
  histogram.sum = 2;
  histogram.float_count = 4.2;
  histogram.positive = {{{1, 2}}, {}, {1.4, 2.8}};
  histogram.custom_bounds = {0.5, 1};
  const auto metrics = published(own_form(histogram_message(histogram)));
  ASSERT_EQ(metrics.size(), 1);
  const auto& point = metrics[0].histogram().data_points(0);
  EXPECT_THAT(point.explicit_bounds(), ElementsAre(0.5, 1));
  EXPECT_THAT(point.bucket_counts(), ElementsAre(0, 1, 3));
  EXPECT_EQ(point.count(), 4U);
  EXPECT_EQ(point.attributes(0).key(), "a");
}

TEST(PublicOtlp, AStaleHistogramSaysSo) {
  protocol::NativeHistogram histogram;
  histogram.sum = stale_mark();
  const auto metrics = published(own_form(histogram_message(histogram)));
  EXPECT_EQ(metrics[0].exponential_histogram().data_points(0).flags(), 1U);
}

// A sender's two buckets may lie as far apart as numbers go.
TEST(PublicOtlp, AWideHistogramIsMergedDown) {
  protocol::NativeHistogram histogram = histogram_of();
  histogram.schema = 8;
  histogram.positive = {
      {{-2'000'000'000, 1}, {2'000'000'000, 1}, {2'000'000'000, 1}}, {1, 0, 0}, {}};
  histogram.count = 8;
  const auto metrics = published(own_form(histogram_message(histogram)));
  const auto& point = metrics[0].exponential_histogram().data_points(0);
  EXPECT_LT(point.positive().bucket_counts_size(), 20'000);
  std::uint64_t sum = 0;
  for (const std::uint64_t count : point.positive().bucket_counts()) sum += count;
  EXPECT_EQ(sum, 3U);
}

TEST(PublicOtlp, WhatIsNoRequestIsInvalid) { EXPECT_FALSE(to_public_otlp("\x0a\x7f")); }

}  // namespace
}  // namespace vigia::series
