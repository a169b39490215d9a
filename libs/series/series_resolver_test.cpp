#include "libs/series/series_resolver.hpp"

#include <atomic>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

namespace vigia::series {
namespace {

using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;

constexpr std::uint64_t kTimeNs = 1'800'000'000'000'000'000ULL;

/// One resource of cliente-a with that many points of one gauge; `text` is an attribute of each.
std::string body_of(int points, const std::string& text = "v") {
  ExportMetricsServiceRequest request;
  auto* group = request.add_resource_metrics();
  auto* customer = group->mutable_resource()->add_attributes();
  customer->set_key("customer.id");
  customer->mutable_value()->set_string_value("cliente-a");
  auto* metric = group->add_scope_metrics()->add_metrics();
  metric->set_name("m");
  for (int i = 0; i < points; ++i) {
    auto* point = metric->mutable_gauge()->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    point->set_as_double(i);
    auto* attribute = point->add_attributes();
    attribute->set_key("k");
    attribute->mutable_value()->set_string_value(text);
  }
  return request.SerializeAsString();
}

class Counting : public SeriesResolver {
 public:
  using SeriesResolver::SeriesResolver;
  std::uint64_t points = 0;
  std::uint64_t label_bytes = 0;
  RejectReason fault = RejectReason::kNone;
  std::string why;
  wire::prometheus::LabelLimits limits;

 protected:
  void on_point(const ResolvedPoint& point) override {
    ++points;
    label_bytes += point.label_bytes;
    if (point.fault != RejectReason::kNone) {
      fault = point.fault;
      why = point.why;
    }
  }
  wire::prometheus::LabelLimits label_limits() const override { return limits; }
};

class ResolverTest : public ::testing::Test {
 protected:
  const SystemClock clock_;
  SeriesCache cache_{{}, clock_};
  const CustomerId customer_ = *CustomerId::parse("cliente-a");
  const wire::prometheus::TranslatorSettings settings_;
};

/// Waits inside its first point until the other thread asks for the lock of the shard, and counts
/// how many points it has had when that one gets it.
class Slow final : public Counting {
 public:
  using Counting::Counting;
  std::atomic<bool>* is_inside = nullptr;
  const std::atomic<bool>* is_asking = nullptr;
  std::atomic<std::uint64_t> given{0};

 private:
  void on_point(const ResolvedPoint& /*point*/) override {
    ++given;
    *is_inside = true;
    while (!*is_asking) std::this_thread::yield();
  }
};

// A1: a walk of many points held the shard, and with it an event loop, until its resource ended.
TEST_F(ResolverTest, ALongResourceGivesOthersTheirTurn) {
  const std::string body = body_of(200'000);
  std::atomic<bool> is_inside{false};
  std::atomic<bool> is_asking{false};
  std::atomic<std::uint64_t> seen{0};
  Slow walk(customer_, settings_, cache_);
  walk.is_inside = &is_inside;
  walk.is_asking = &is_asking;
  std::thread other([&] {
    while (!is_inside) std::this_thread::yield();
    Counting short_walk(customer_, settings_, cache_);
    is_asking = true;
    ASSERT_TRUE(short_walk.run(body_of(1)).has_value());  // the same resource: the same shard
    seen = walk.given.load();
  });
  ASSERT_TRUE(walk.run(body).has_value());
  other.join();
  EXPECT_EQ(walk.given, 200'000U);
  EXPECT_LT(seen, 200'000U);
}

/// Points of one gauge, each with the number that it is given as its attribute and its value.
std::string body_in_order(const std::vector<int>& numbers) {
  ExportMetricsServiceRequest request;
  auto* group = request.add_resource_metrics();
  auto* customer = group->mutable_resource()->add_attributes();
  customer->set_key("customer.id");
  customer->mutable_value()->set_string_value("cliente-a");
  auto* metric = group->add_scope_metrics()->add_metrics();
  metric->set_name("m");
  for (const int number : numbers) {
    auto* point = metric->mutable_gauge()->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    point->set_as_double(number);
    auto* attribute = point->add_attributes();
    attribute->set_key("n");
    attribute->mutable_value()->set_string_value(std::to_string(number));
  }
  return request.SerializeAsString();
}

/// Which entry each value was given.
class Noting final : public Counting {
 public:
  using Counting::Counting;
  std::map<double, std::string> forms;

 private:
  void on_point(const ResolvedPoint& point) override {
    ASSERT_NE(point.entry, nullptr);
    const auto& number = static_cast<const wire::otlp::NumberPoint&>(*point.point);
    forms[number.value] = std::string(point.entry->forms, point.entry->forms_bytes);
  }
};

// Which entry comes next is guessed by the order of before.
TEST_F(ResolverTest, InWhateverOrderPointsComeEachHasItsOwnSeries) {
  std::vector<int> numbers(300);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::mt19937 random(11);
  std::map<double, std::string> first;
  for (int round = 0; round < 60; ++round) {
    Noting walk(customer_, settings_, cache_);
    std::vector<int> some = numbers;
    if (round % 3 == 1) some.erase(some.begin() + static_cast<int>(random() % 300), some.end());
    if (round % 3 == 2) {
      for (int i = 0; i < 20; ++i) std::swap(some[random() % 300], some[random() % 300]);
    }
    ASSERT_TRUE(walk.run(body_in_order(some)).has_value());
    ASSERT_EQ(walk.forms.size(), some.size());
    for (const auto& [value, forms] : walk.forms) {
      EXPECT_NE(forms.find(std::to_string(static_cast<int>(value))), std::string::npos);
      EXPECT_EQ(first.try_emplace(value, forms).first->second, forms);
    }
  }
  EXPECT_EQ(cache_.stats().misses, 300U);
}

TEST_F(ResolverTest, AResourceWithoutPointsIsNotEntered) {
  ExportMetricsServiceRequest request;
  auto* attribute = request.add_resource_metrics()->mutable_resource()->add_attributes();
  attribute->set_key("customer.id");
  request.mutable_resource_metrics(0)->add_scope_metrics()->add_metrics()->set_name("m");
  std::string body = request.SerializeAsString();
  // What is never entered is never read: not even damage inside its resource is looked at.
  body[body.find("customer.id") - 1] = '\x7f';
  Counting walk(customer_, settings_, cache_);
  EXPECT_EQ(walk.run(body), 0U);
  EXPECT_EQ(cache_.stats().bytes, 0U);
}

TEST_F(ResolverTest, LabelBytesAreThoseOfAllThatComesOut) {
  Counting walk(customer_, settings_, cache_);
  ASSERT_TRUE(walk.run(body_of(10, std::string(1000, 'v'))).has_value());
  EXPECT_GT(walk.label_bytes, 10'000U);
  EXPECT_LT(walk.label_bytes, 11'000U);
}

TEST_F(ResolverTest, ALabelOverTheLimitIsNamedEachTime) {
  for (int round = 0; round < 2; ++round) {
    Counting walk(customer_, settings_, cache_);
    walk.limits = {.value_bytes = 100, .labels = 0};
    ASSERT_TRUE(walk.run(body_of(1, std::string(101, 'v'))).has_value());
    EXPECT_EQ(walk.fault, RejectReason::kLabelValueBytes);
    EXPECT_EQ(walk.why, R"(label "k" has 101 bytes, label_value_bytes is 100)");
  }
  Counting raised(customer_, settings_, cache_);
  raised.limits = {.value_bytes = 101, .labels = 0};
  ASSERT_TRUE(raised.run(body_of(1, std::string(101, 'v'))).has_value());
  EXPECT_EQ(raised.fault, RejectReason::kNone);
}

TEST_F(ResolverTest, LabelsAreCountedWithThoseOfTheResource) {
  Counting over(customer_, settings_, cache_);
  over.limits = {.value_bytes = 0, .labels = 1};
  ASSERT_TRUE(over.run(body_of(1)).has_value());
  EXPECT_EQ(over.fault, RejectReason::kLabelsPerSeries);
  EXPECT_EQ(over.why, "2 labels, labels_per_series is 1");  // customer_id and k
  Counting within(customer_, settings_, cache_);
  within.limits = {.value_bytes = 0, .labels = 2};
  ASSERT_TRUE(within.run(body_of(1)).has_value());
  EXPECT_EQ(within.fault, RejectReason::kNone);
}

// A14: an exporter's own view of the series must not count them again.
TEST_F(ResolverTest, AnotherViewOfTheSeriesIsNotCountedAsActive) {
  Counting intake(customer_, settings_, cache_);
  ASSERT_TRUE(intake.run(body_of(1)).has_value());
  wire::prometheus::TranslatorSettings view;
  view.resource_labels = {"host.name"};
  view.counts_active_series = false;
  Counting exporter(customer_, view, cache_);
  ASSERT_TRUE(exporter.run(body_of(1)).has_value());
  EXPECT_EQ(cache_.active_series(customer_).count(), 1);
  EXPECT_EQ(cache_.stats().series, 2U);
}

}  // namespace
}  // namespace vigia::series
