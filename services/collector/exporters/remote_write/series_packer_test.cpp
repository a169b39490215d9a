// What comes out of a record is bounded by what comes out, not by what went in.
#include "services/collector/exporters/remote_write/series_packer.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

#include "libs/base/clock.hpp"
#include "libs/model/verdicts.hpp"
#include "libs/wire/remote_write/request_encoder_2.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

using Request = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;

constexpr std::uint64_t kTimeNs = 1'700'000'000'000'000'000;
constexpr std::uint64_t kMillisecondNs = 1'000'000;

/// Series and times in a message: "name{le}@time".
class Values final : public wire::remote_write::WriteVisitor {
 public:
  void on_series(const wire::remote_write::SeriesView& series) override {
    std::string name;
    std::string bound;
    for (const auto& label : series.labels) {
      if (label.name == kNameLabel) name = label.value;
      if (label.name == "le") bound = label.value;
    }
    for (const Sample& sample : series.samples)
      found.push_back(name + "{" + bound + "}@" + std::to_string(sample.timestamp_ms));
  }
  std::vector<std::string> found;
};

class SeriesPackerTest : public testing::Test {
 protected:
  opentelemetry::proto::metrics::v1::Metric& metric() {
    auto& resource = *request_.add_resource_metrics();
    for (const auto& [key, value] : {std::pair<std::string, std::string>{"customer.id", "a"},
                                     {"node.region", std::string(50'000, 'r')}}) {
      auto& attribute = *resource.mutable_resource()->add_attributes();
      attribute.set_key(key);
      attribute.mutable_value()->set_string_value(value);
    }
    return *resource.add_scope_metrics()->add_metrics();
  }
  struct Pieces {
    std::vector<std::string> values;
    std::uint64_t items = 0, unit_items = 0;
    std::size_t pieces = 0, largest = 0;
  };
  /// Packs in pieces of so many bytes, each as exporters do.
  Pieces pack(std::uint32_t items, const Verdicts& verdicts, std::size_t bytes_max) {
    const std::string body = request_.SerializeAsString();
    const std::string encoded = verdicts.encode();
    Pieces result;
    delivery::Place from;
    for (bool has_more = true; has_more; ++result.pieces) {
      delivery::Parcel parcel{.customer = *CustomerId::parse("a")};
      const auto packed =
          packer_->pack(0, {items, verdicts.rejected(), encoded, body}, from, bytes_max, parcel);
      EXPECT_TRUE(packed);
      if (!packed || result.pieces > 10'000) break;
      EXPECT_FALSE(parcel.units.empty());
      result.items += packed->items;
      result.unit_items += parcel.items();
      result.largest = std::max(result.largest, parcel.message.size());
      Values values;
      EXPECT_TRUE(wire::remote_write::decode_message(parcel.message, {}, values));
      result.values.insert(result.values.end(), values.found.begin(), values.found.end());
      has_more = packed->next.has_value();
      if (has_more) {
        EXPECT_GT(*packed->next, from);
        from = *packed->next;
      }
    }
    return result;
  }

  Request request_;
  SystemClock clock_;
  series::SeriesCache series_{{}, clock_};
  std::unique_ptr<delivery::Packer> packer_ = make_series_packer({}, series_);
};

constexpr std::size_t kPieceBytes = 1U << 20U;
/// Points in hand when the piece is full, each with its labels.
constexpr std::size_t kOverBytes = 18 * 50'200;

TEST_F(SeriesPackerTest, LabelsTimesPointsAreCutByTheirOwnBytes) {  // A1
  constexpr int kPoints = 600;
  auto& gauge = metric();
  gauge.set_name("probe");
  for (int i = 0; i < kPoints; ++i) {
    auto& point = *gauge.mutable_gauge()->add_data_points();
    point.set_time_unix_nano(kTimeNs + static_cast<std::uint64_t>(i) * kMillisecondNs);
    point.set_as_double(i);
  }
  Verdicts verdicts(kPoints);
  verdicts.reject(7, RejectReason::kFuture);
  const Pieces result = pack(kPoints, verdicts, kPieceBytes);
  EXPECT_GT(result.pieces, 10U);
  EXPECT_LE(result.largest, kPieceBytes + kOverBytes);
  EXPECT_EQ(result.items, kPoints - 1U);
  EXPECT_EQ(result.unit_items, kPoints - 1U);
  const std::set<std::string> distinct(result.values.begin(), result.values.end());
  for (int i = 0; i < kPoints; ++i)
    EXPECT_EQ(distinct.count("probe{}@" + std::to_string(1'700'000'000'000 + i)), i == 7 ? 0U : 1U)
        << i;
}

TEST_F(SeriesPackerTest, APointThatBecomesManySeriesIsCutInside) {  // A1: buckets × labels
  constexpr int kBounds = 60;
  auto& metric_ = metric();
  metric_.set_name("probe");
  auto& histogram = *metric_.mutable_histogram();
  histogram.set_aggregation_temporality(
      opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto& point = *histogram.add_data_points();
  point.set_time_unix_nano(kTimeNs);
  point.set_count(kBounds + 1);
  point.set_sum(1);
  for (int i = 0; i <= kBounds; ++i) {
    point.add_bucket_counts(1);
    if (i < kBounds) point.add_explicit_bounds(i);
  }
  const Pieces result = pack(1, Verdicts(1), kPieceBytes / 4);
  EXPECT_GT(result.pieces, 10U);
  EXPECT_LE(result.largest, kPieceBytes / 4 + kOverBytes);
  EXPECT_EQ(result.items, 1U);
  EXPECT_EQ(result.unit_items, 1U);
  std::multiset<std::string> found;
  for (const std::string& value : result.values) {
    if (value.starts_with("probe")) found.insert(value);
  }
  EXPECT_EQ(found.size(), kBounds + 1U + 2U);  // buckets, sum, count
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), found.size());
}

TEST_F(SeriesPackerTest, ValuesOfASeriesAreOfOneKind) {
  auto& gauge = metric();
  gauge.set_name("probe");
  for (int i = 0; i < 4; ++i) {
    auto& point = *gauge.mutable_gauge()->add_data_points();
    point.set_time_unix_nano(kTimeNs + static_cast<std::uint64_t>(i) * kMillisecondNs);
    point.set_as_double(i);
    auto& attribute = *point.add_attributes();
    attribute.set_key("n");
    attribute.mutable_value()->set_int_value(i / 2);
  }
  delivery::Parcel parcel{.customer = *CustomerId::parse("a")};
  const std::string body = request_.SerializeAsString();
  ASSERT_TRUE(packer_->pack(0, {4, 0, "", body}, {}, kPieceBytes, parcel));
  ASSERT_EQ(parcel.units.size(), 4U);
  std::vector<std::string_view> kinds;
  for (std::size_t unit = 0; unit < 4; ++unit)
    kinds.push_back(packer_->kind_of(parcel.run(unit, unit + 1)));
  EXPECT_FALSE(kinds[0].empty());
  EXPECT_EQ(kinds[0], kinds[1]);
  EXPECT_NE(kinds[1], kinds[2]);
  EXPECT_EQ(kinds[2], kinds[3]);
  EXPECT_EQ(packer_->kind_of("no series"), "");
  EXPECT_EQ(packer_->kind_of(""), "");
}

// R-RW-7: what 2.0 says beside, and 1.0 does not.
TEST_F(SeriesPackerTest, WordsAndStartsOfAMetricLieBeforeItsSeries) {
  constexpr std::uint64_t kStartNs = kTimeNs - 60'000 * kMillisecondNs;
  const auto add = [&](auto& points, bool has_start) {
    auto& point = *points.add_data_points();
    point.set_time_unix_nano(kTimeNs);
    point.set_start_time_unix_nano(has_start ? kStartNs : kTimeNs);
    point.set_as_double(1);
  };
  auto& counter = metric();
  counter.set_name("asked");
  counter.set_description("questions");
  counter.set_unit("By");
  counter.mutable_sum()->set_is_monotonic(true);
  counter.mutable_sum()->set_aggregation_temporality(
      opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  add(*counter.mutable_sum(), true);
  add(*counter.mutable_sum(), false);  // its own time says nothing
  auto& gauge = *request_.mutable_resource_metrics(0)->mutable_scope_metrics(0)->add_metrics();
  gauge.set_name("level");
  add(*gauge.mutable_gauge(), true);
  delivery::Parcel parcel{.customer = *CustomerId::parse("a")};
  const std::string body = request_.SerializeAsString();
  ASSERT_TRUE(packer_->pack(0, {3, 0, "", body}, {}, kPieceBytes, parcel));
  ASSERT_GE(parcel.units.size(), 3U);
  EXPECT_EQ(packer_->kind_of(parcel.run(0, 1)), packer_->kind_of(parcel.run(1, 2)));
  wire::remote_write::RequestEncoder2 encoder;
  const auto request = encoder.encode(parcel.message);
  ASSERT_TRUE(request);
  class Said final : public wire::remote_write::WriteVisitor {
   public:
    void on_series(const wire::remote_write::SeriesView& series) override {
      const TimestampMs start_ms = series.starts_ms.empty() ? 0 : series.starts_ms[0];
      found.push_back(std::to_string(series.metadata.type) + std::string(series.metadata.help) +
                      std::string(series.metadata.unit) + std::to_string(start_ms));
    }
    std::vector<std::string> found;
  } said;
  ASSERT_TRUE(wire::remote_write::decode_message_2(*request, {}, {}, said));
  ASSERT_GE(said.found.size(), 3U);
  EXPECT_EQ(said.found[0], "1questionsBy" + std::to_string(kStartNs / kMillisecondNs));
  EXPECT_EQ(said.found[1], "1questionsBy0");
  EXPECT_EQ(said.found[2], "20");
}

TEST_F(SeriesPackerTest, WhatFitsGoesInOnePiece) {
  auto& gauge = metric();
  gauge.set_name("probe");
  gauge.mutable_gauge()->add_data_points()->set_time_unix_nano(kTimeNs);
  gauge.mutable_gauge()->mutable_data_points(0)->set_as_double(1);
  const Pieces result = pack(1, Verdicts(1), kPieceBytes);
  EXPECT_EQ(result.pieces, 1U);
  EXPECT_EQ(result.items, 1U);
}

}  // namespace
}  // namespace vigia::collector::exporters::remote_write
