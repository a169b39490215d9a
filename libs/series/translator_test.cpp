#include "libs/series/translator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

#include "libs/wire/otlp/field_reader.hpp"

namespace vigia::series {
namespace {

namespace pb = opentelemetry::proto;
using pb::collector::metrics::v1::ExportMetricsServiceRequest;

constexpr std::uint64_t kTimeNs = 1'800'000'000'123'000'000ULL;

template <typename Repeated>
void set(Repeated* attributes, const std::string& key, const std::string& value) {
  auto* entry = attributes->Add();
  entry->set_key(key);
  entry->mutable_value()->set_string_value(value);
}

struct Taken {
  std::uint32_t item;
  std::uint64_t hash;
  std::string text;  ///< labels, value and time stamp
  std::string histogram;
  std::string exemplars;
  wire::prometheus::FamilyType type;
  std::string family;
};

class CollectingSink final : public SeriesSink {
 public:
  bool wants_hashes() const override { return true; }
  void take(const SeriesPoint& point) override {
    const auto labels = wire::prometheus::decode_labels(point.labels.bytes());
    ASSERT_TRUE(labels.has_value());
    std::string last;
    for (const Label& label : *labels) {
      EXPECT_LT(last, label.name);
      last = label.name;
    }
    const std::string value = is_stale_mark(point.value) ? "stale" : fmt::format("{}", point.value);
    const Family& family = point.family->family();
    taken.push_back({point.item, point.series_hash,
                     fmt::format("{} {} @{}", to_string(*labels), value, point.timestamp_ms),
                     std::string(point.histogram), std::string(point.exemplars), family.type,
                     family.name});
  }
  std::vector<Taken> taken;
};

/// One request of cliente-a under construction.
class Request {
 public:
  Request() {
    resource_ = request_.add_resource_metrics();
    set(resource_->mutable_resource()->mutable_attributes(), "customer.id", "cliente-a");
    scope_ = resource_->add_scope_metrics();
  }
  auto* resource() { return resource_->mutable_resource()->mutable_attributes(); }
  auto* scope() { return scope_->mutable_scope(); }
  pb::metrics::v1::Metric* metric(const std::string& name, const std::string& unit = "") {
    auto* metric = scope_->add_metrics();
    metric->set_name(name);
    metric->set_unit(unit);
    return metric;
  }
  pb::metrics::v1::NumberDataPoint* gauge(const std::string& name, double value,
                                          const std::string& unit = "") {
    auto* point = metric(name, unit)->mutable_gauge()->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    point->set_as_double(value);
    return point;
  }
  pb::metrics::v1::HistogramDataPoint* histogram(const std::string& name,
                                                 const std::string& unit = "") {
    auto* data = metric(name, unit)->mutable_histogram();
    data->set_aggregation_temporality(pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
    auto* point = data->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    return point;
  }
  pb::metrics::v1::ExponentialHistogramDataPoint* exponential(const std::string& name) {
    auto* data = metric(name)->mutable_exponential_histogram();
    data->set_aggregation_temporality(pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
    auto* point = data->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    return point;
  }
  std::string body() const { return request_.SerializeAsString(); }

 private:
  ExportMetricsServiceRequest request_;
  pb::metrics::v1::ResourceMetrics* resource_;
  pb::metrics::v1::ScopeMetrics* scope_;
};

std::vector<Taken> translated(const std::string& body,
                              wire::prometheus::TranslatorSettings settings = {},
                              const Verdicts* verdicts = nullptr) {
  const SystemClock clock;
  SeriesCache cache({}, clock);
  Translator translator(settings, cache);
  std::vector<Taken> first;
  for (int round = 0; round < 2; ++round) {  // a miss, then a hit of the cache
    CollectingSink sink;
    const auto items = wire::otlp::count_items(Signal::kMetrics, body);
    EXPECT_TRUE(items.has_value());
    const auto done = translator.translate(*CustomerId::parse("cliente-a"), body,
                                           verdicts ? *verdicts : Verdicts(*items), sink);
    EXPECT_TRUE(done.has_value()) << done.error().message;
    if (round == 1) {
      EXPECT_EQ(sink.taken.size(), first.size());
      for (std::size_t i = 0; i < std::min(first.size(), sink.taken.size()); ++i) {
        EXPECT_EQ(sink.taken[i].text, first[i].text);
        EXPECT_EQ(sink.taken[i].hash, first[i].hash);
      }
    }
    first = sink.taken;
  }
  return first;
}

std::vector<std::string> texts(const std::vector<Taken>& taken) {
  std::vector<std::string> out;
  for (const Taken& one : taken) out.push_back(one.text);
  return out;
}

using Texts = std::vector<std::string>;

// R-PM-5, R-PM-13, R-RW-2: labels in their order.
TEST(Translator, AGaugeCarriesItsResourcesLabels) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "service.namespace", "web");
  set(request.resource(), "service.instance.id", "i-1");
  set(request.resource(), "node.id", "prod-web-01");
  set(request.resource(), "node.region", "us-east-1");
  set(request.resource(), "environment", "production");
  set(request.gauge("system.cpu.usage", 12.5)->mutable_attributes(), "cpu.mode", "user");
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(system_cpu_usage{cpu_mode="user",customer_id="cliente-a",)"
                   R"(environment="production",instance="i-1",job="web/shop",)"
                   R"(node_id="prod-web-01",node_region="us-east-1"} 12.5 @1800000000123)",
                   R"(target_info{customer_id="cliente-a",environment="production",)"
                   R"(instance="i-1",job="web/shop",node_id="prod-web-01",)"
                   R"(node_region="us-east-1"} 1 @1800000000123)"}));
}

// R-PM-14: no spelling of the key is the customer.
TEST(Translator, CustomerIdComesFromTheTokenAlone) {
  Request request;
  auto* point = request.gauge("m", 1);
  for (const char* key : {"customer.id", "customer-id", "customer__id", "customer_id"}) {
    set(point->mutable_attributes(), key, "cliente-b");
    set(request.scope()->mutable_attributes(), key, "cliente-b");
  }
  set(request.resource(), "customer-id", "cliente-b");
  EXPECT_EQ(texts(translated(request.body())).at(0).find("cliente-b"), std::string::npos);
  EXPECT_NE(texts(translated(request.body())).at(0).find(R"(customer_id="cliente-a")"),
            std::string::npos);
}

// D03.
TEST(Translator, ASendersKeyCannotBecomeTheName) {
  Request request;
  set(request.gauge("m", 1)->mutable_attributes(), "__name__", "up");
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a",key_name_="up"} 1 @1800000000123)"}));
}

// R-PM-14, C03.
TEST(Translator, KeysThatBecomeOneLabelAreJoined) {
  Request request;
  auto* first = request.gauge("m", 1)->mutable_attributes();
  set(first, "k8s_pod_name", "bar");
  set(first, "k8s.pod.name", "foo");
  auto* second = request.gauge("n", 1)->mutable_attributes();
  set(second, "bar.one", "foo");
  set(second, "bar/one", "foo");
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a",k8s_pod_name="foo;bar"} 1 @1800000000123)",
                   R"(n{bar_one="foo",customer_id="cliente-a"} 1 @1800000000123)"}));
}

// Ends at once, where a search among the labels before each one would take minutes.
TEST(Translator, ManyKeysCostNoMoreThanTheirBytes) {
  Request many;
  auto* attributes = many.gauge("g", 1)->mutable_attributes();
  for (int i = 0; i < 300'000; ++i) set(attributes, fmt::format("k{}", i), "v");
  EXPECT_EQ(translated(many.body()).size(), 0U);  // far more labels than one series may have

  Request colliding;  // every key becomes "k_"
  attributes = colliding.gauge("g", 1)->mutable_attributes();
  for (int i = 0; i < 300'000; ++i) {
    std::string key = "k";
    for (int bit = 0; bit < 19; ++bit) key += (i >> bit) % 2 == 0 ? '.' : '-';
    set(attributes, key, fmt::format("{}", i));
  }
  EXPECT_EQ(translated(colliding.body()).size(), 0U);  // one label, of megabytes
}

TEST(Translator, WhatStorageWouldRefuseIsRefused) {
  for (const int count : {200, 300}) {
    Request point;
    auto* attributes = point.gauge("g", 1)->mutable_attributes();
    for (int i = 0; i < count; ++i) set(attributes, fmt::format("k{}", i), "v");
    EXPECT_EQ(translated(point.body()).size(), count == 200 ? 1U : 0U);

    Request resource;
    resource.gauge("g", 1);
    set(resource.resource(), "service.name", "s");
    for (int i = 0; i < count; ++i) set(resource.resource(), fmt::format("k{}", i), "v");
    // target_info is no point of the sender: it says what it has room for.
    EXPECT_EQ(translated(resource.body()).size(), 2U);
  }
  for (const std::size_t bytes : {50'000U, 70'000U}) {
    Request point;
    set(point.gauge("g", 1)->mutable_attributes(), "k", std::string(bytes, 'v'));
    EXPECT_EQ(translated(point.body()).size(), bytes == 50'000 ? 1U : 0U);

    Request resource;
    resource.gauge("g", 1);
    set(resource.resource(), "node.id", std::string(bytes, 'v'));
    EXPECT_EQ(translated(resource.body()).size(), bytes == 50'000 ? 1U : 0U);
  }
  Request name;
  name.gauge(std::string(70'000, 'm'), 1);
  EXPECT_EQ(translated(name.body()).size(), 0U);
}

TEST(Translator, ManyBucketsDoNotRepeatLargeLabels) {
  Request request;
  auto* point = request.histogram("h");
  for (int i = 0; i < 9'000; ++i) {
    point->add_explicit_bounds(i);
    point->add_bucket_counts(0);
  }
  point->add_bucket_counts(0);
  set(point->mutable_attributes(), "k", std::string(50'000, 'v'));
  EXPECT_EQ(translated(request.body()).size(), 0U);
}

// A1: the resource's labels stand on every bucket as the point's own do.
TEST(Translator, ManyBucketsDoNotRepeatTheResourcesLargeLabels) {
  Request request;
  auto* point = request.histogram("h");
  for (int i = 0; i < 9'000; ++i) {
    point->add_explicit_bounds(i);
    point->add_bucket_counts(0);
  }
  point->add_bucket_counts(0);
  set(request.resource(), "node.region", std::string(2'000, 'v'));
  EXPECT_EQ(translated(request.body()).size(), 0U);
}

TEST(Translator, TargetInfoLeavesOutWhatIsTooLong) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "process.command_line", std::string(3'000, 'v'));
  set(request.resource(), "process.pid", "7");
  request.gauge("m", 1);
  EXPECT_EQ(texts(translated(request.body())).at(1),
            R"(target_info{customer_id="cliente-a",job="shop",process_pid="7"} 1 @1800000000123)");
}

// C03.
TEST(Translator, AnAttributeOnResourceAndPointStandsOnce) {
  Request request;
  set(request.resource(), "deployment.environment", "qa");
  set(request.gauge("m", 1)->mutable_attributes(), "deployment.environment", "qa");
  wire::prometheus::TranslatorSettings settings;
  settings.resource_labels = {"deployment.environment"};
  EXPECT_EQ(texts(translated(request.body(), settings)),
            (Texts{R"(m{customer_id="cliente-a",deployment_environment="qa"} 1 @1800000000123)"}));
}

// R-PM-3, R-PM-5.
TEST(Translator, CountersEndInTotalAndDeltasGiveNothing) {
  Request request;
  for (const auto temporality : {pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE,
                                 pb::metrics::v1::AGGREGATION_TEMPORALITY_DELTA}) {
    auto* sum = request.metric("requests", "{request}")->mutable_sum();
    sum->set_is_monotonic(true);
    sum->set_aggregation_temporality(temporality);
    auto* point = sum->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    point->set_as_int(7);
  }
  const auto taken = translated(request.body());
  EXPECT_EQ(texts(taken), (Texts{R"(requests_total{customer_id="cliente-a"} 7 @1800000000123)"}));
  EXPECT_EQ(taken.at(0).type, wire::prometheus::FamilyType::kCounter);
}

// R-PM-7, C05.
TEST(Translator, HistogramBucketsAddUpAndTheLastEqualsTheCount) {
  Request request;
  auto* point = request.histogram("latency", "s");
  point->add_explicit_bounds(0.5);
  point->add_explicit_bounds(1);
  for (int i = 0; i < 3; ++i) point->add_bucket_counts(1);
  point->set_count(4);
  point->set_sum(2.25);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(latency_seconds_bucket{customer_id="cliente-a",le="0.5"} 1 @1800000000123)",
                   R"(latency_seconds_bucket{customer_id="cliente-a",le="1.0"} 2 @1800000000123)",
                   R"(latency_seconds_bucket{customer_id="cliente-a",le="+Inf"} 4 @1800000000123)",
                   R"(latency_seconds_sum{customer_id="cliente-a"} 2.25 @1800000000123)",
                   R"(latency_seconds_count{customer_id="cliente-a"} 4 @1800000000123)"}));
}

// C05.
TEST(Translator, AHistogramWithoutBucketsHasOne) {
  Request request;
  auto* point = request.histogram("h");
  point->set_count(3);
  point->set_sum(6);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(h_bucket{customer_id="cliente-a",le="+Inf"} 3 @1800000000123)",
                   R"(h_sum{customer_id="cliente-a"} 6 @1800000000123)",
                   R"(h_count{customer_id="cliente-a"} 3 @1800000000123)"}));
}

// R-PM-9.
TEST(Translator, ASummaryHasItsQuantiles) {
  Request request;
  auto* point = request.metric("s")->mutable_summary()->add_data_points();
  point->set_time_unix_nano(kTimeNs);
  point->set_count(2);
  point->set_sum(3);
  auto* quantile = point->add_quantile_values();
  quantile->set_quantile(0.99);
  quantile->set_value(1.5);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(s{customer_id="cliente-a",quantile="0.99"} 1.5 @1800000000123)",
                   R"(s_sum{customer_id="cliente-a"} 3 @1800000000123)",
                   R"(s_count{customer_id="cliente-a"} 2 @1800000000123)"}));
}

// R-PM-10.
TEST(Translator, NoRecordedValueIsTheStaleMark) {
  Request request;
  request.gauge("m", 1)->set_flags(1);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a"} stale @1800000000123)"}));
}

// R-PM-12.
TEST(Translator, TheScopeIsNamedOnEverySeries) {
  Request request;
  request.scope()->set_name("io.shop");
  request.scope()->set_version("1.2");
  set(request.scope()->mutable_attributes(), "team", "x");
  request.gauge("m", 1);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a",otel_scope_name="io.shop",)"
                   R"(otel_scope_team="x",otel_scope_version="1.2"} 1 @1800000000123)"}));
}

// B2, wherever the sender puts them.
TEST(Translator, LabelsOfAlertsAreRenamedOnPointResourceAndTargetInfo) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "severity", "r");
  set(request.resource(), "alertname", "x");
  set(request.gauge("m", 1)->mutable_attributes(), "severity", "p");
  wire::prometheus::TranslatorSettings settings;
  settings.resource_labels = {"severity"};
  for (const std::string& text : texts(translated(request.body(), settings))) {
    EXPECT_EQ(text.find("{severity="), std::string::npos) << text;
    EXPECT_EQ(text.find(",severity="), std::string::npos) << text;
    EXPECT_EQ(text.find(",alertname="), std::string::npos) << text;
    EXPECT_NE(text.find("key_severity="), std::string::npos) << text;
  }
}

// D-F9.
TEST(Translator, KeysOfScopeAttributesArePrefixedBeforeTheyAreSanitised) {
  Request request;
  request.scope()->set_version("1");
  for (const char* key : {"9x", "_y", "name", "version", "schema_url", ""})
    set(request.scope()->mutable_attributes(), key, "v");
  request.gauge("m", 1);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a",otel_scope_9x="v",otel_scope_version="1",)"
                   R"(otel_scope_y="v"} 1 @1800000000123)"}));
}

// D-F10.
TEST(Translator, OnlyTheIdentifyingAttributesThemselvesAreLeftOutOfTargetInfo) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "service_name", "other");
  request.gauge("m", 1);
  EXPECT_EQ(texts(translated(request.body())).at(1),
            R"(target_info{customer_id="cliente-a",job="shop",service_name="other"} )"
            "1 @1800000000123");
}

TEST(Translator, APointWithoutAValueHasNoExemplar) {
  Request request;
  auto* point = request.histogram("h");
  point->set_flags(1);
  point->add_exemplars()->set_as_double(1);
  for (const Taken& one : translated(request.body())) EXPECT_EQ(one.exemplars, "");
}

TEST(Translator, RejectedPointsArePassedOver) {
  Request request;
  request.gauge("a", 1);
  request.gauge("b", 2);
  Verdicts verdicts(2);
  verdicts.reject(0, RejectReason::kFuture);
  const auto taken = translated(request.body(), {}, &verdicts);
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].item, 1U);
}

/// Fields of an encoded prometheus.Histogram.
struct Native {
  std::uint64_t count = 0, zero_count = 0;
  double sum = 0, zero_threshold = 0;
  std::int64_t schema = 0;
  std::vector<std::pair<std::int32_t, std::uint32_t>> spans;
  std::vector<std::int64_t> deltas;
};

Native read_native(const std::string& bytes) {
  Native native;
  protozero::pbf_reader reader(bytes.data(), bytes.size());
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        native.count = reader.get_uint64();
        break;
      case 3:
        native.sum = reader.get_double();
        break;
      case 4:
        native.schema = reader.get_sint32();
        break;
      case 5:
        native.zero_threshold = reader.get_double();
        break;
      case 6:
        native.zero_count = reader.get_uint64();
        break;
      case 11: {
        auto span = reader.get_message();
        std::int32_t offset = 0;
        std::uint32_t length = 0;
        while (span.next()) {
          if (span.tag() == 1) {
            offset = span.get_sint32();
          } else {
            length = span.get_uint32();
          }
        }
        native.spans.emplace_back(offset, length);
        break;
      }
      case 12:
        for (const auto delta : reader.get_packed_sint64()) native.deltas.push_back(delta);
        break;
      default:
        reader.skip();
    }
  }
  return native;
}

// R-PM-8, C01.
TEST(Translator, AnExponentialHistogramKeepsItsZeroThreshold) {
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(3);
  point->set_zero_threshold(0.02);
  point->set_zero_count(4);
  point->set_count(7);
  point->set_sum(9.5);
  point->mutable_positive()->add_bucket_counts(2);
  point->mutable_positive()->add_bucket_counts(1);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_EQ(native.schema, 3);
  EXPECT_EQ(native.zero_threshold, 0.02);
  EXPECT_EQ(native.zero_count, 4U);
  EXPECT_EQ(native.count, 7U);
  EXPECT_EQ(native.sum, 9.5);
  EXPECT_EQ(native.spans, (std::vector<std::pair<std::int32_t, std::uint32_t>>{{1, 2}}));
  EXPECT_EQ(native.deltas, (std::vector<std::int64_t>{2, -1}));
}

// D-F7: a sum of 0 would lie, the stale mark would hide the point.
TEST(Translator, AnExponentialHistogramWithoutSumHasNaN) {
  Request request;
  auto* point = request.exponential("h");
  point->set_count(3);
  point->mutable_positive()->add_bucket_counts(3);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_TRUE(std::isnan(native.sum));
  EXPECT_FALSE(is_stale_mark(native.sum));
  EXPECT_EQ(native.count, 3U);
}

// A store works on every bucket for each sample, and Prometheus 2.42 counts them as one.
TEST(Translator, AWideExponentialHistogramIsMergedDown) {
  constexpr std::uint32_t kSent = 16'000;
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(10);
  point->set_count(kSent);
  point->set_sum(1);
  point->mutable_positive()->set_offset(-3);
  for (std::uint32_t i = 0; i < kSent; ++i) point->mutable_positive()->add_bucket_counts(1);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_EQ(native.schema, 4) << "six halvings: 16,000 / 64 = 250";
  EXPECT_EQ(native.count, kSent);
  ASSERT_EQ(native.spans.size(), 1U);
  EXPECT_EQ(native.spans[0].first, 0) << "the bucket that ends at 1";
  EXPECT_LE(native.spans[0].second, 320U);
  std::int64_t in_bucket = 0;
  std::int64_t total = 0;
  for (const auto delta : native.deltas) total += in_bucket += delta;
  EXPECT_EQ(total, kSent) << "nothing is lost";
  EXPECT_EQ(native.deltas[0], 3) << "-3, -2, -1 lie below 1";
  EXPECT_EQ(native.deltas[1], 61) << "then 64 each";
}

// Two values far apart need no coarser buckets: what lies between them is not written.
TEST(Translator, AWideExponentialHistogramOfFewBucketsKeepsItsResolution) {
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(8);
  point->set_count(642);
  point->set_sum(1);
  auto* counts = point->mutable_positive();
  for (int i = 0; i < 9'000; ++i) counts->add_bucket_counts(0);
  counts->set_bucket_counts(0, 1);
  counts->set_bucket_counts(8'999, 1);
  for (int i = 0; i < 640; i += 4) point->mutable_negative()->add_bucket_counts(4);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_EQ(native.schema, 8);
  EXPECT_EQ(native.spans,
            (std::vector<std::pair<std::int32_t, std::uint32_t>>{{1, 1}, {8'998, 1}}));
  EXPECT_EQ(native.deltas, (std::vector<std::int64_t>{1, 0}));
}

TEST(Translator, OfManyBucketsWithGapsAsFewAreMergedAsMustBe) {
  const auto schema_of = [](int buckets, int gap) {
    Request request;
    auto* point = request.exponential("h");
    point->set_scale(8);
    point->set_count(static_cast<std::uint64_t>(buckets));
    point->set_sum(1);
    for (int i = 0; i < buckets; ++i) {
      point->mutable_positive()->add_bucket_counts(1);
      for (int empty = 0; empty < gap; ++empty) point->mutable_positive()->add_bucket_counts(0);
    }
    const Native native = read_native(translated(request.body()).at(0).histogram);
    EXPECT_LE(native.deltas.size(), 320U);
    EXPECT_LE(native.spans.size(), 320U);
    return native.schema;
  };
  EXPECT_EQ(schema_of(320, 0), 8);
  EXPECT_EQ(schema_of(321, 0), 7);
  EXPECT_EQ(schema_of(320, 3), 8) << "each a span of its own";
  EXPECT_EQ(schema_of(107, 2), 8) << "320 with the gaps, of which the last counts for nothing";
  EXPECT_EQ(schema_of(108, 2), 7);
  EXPECT_EQ(schema_of(321, 30), 3) << "32 neighbours: one of each, and so on until they meet";
}

TEST(Translator, AWideExponentialHistogramThatCannotBeMergedIsRefused) {
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(-4);
  point->set_count(321);
  point->set_sum(1);
  for (int i = 0; i < 321; ++i) point->mutable_positive()->add_bucket_counts(1);
  EXPECT_TRUE(translated(request.body()).empty());
  point->set_scale(-3);
  EXPECT_EQ(translated(request.body()).size(), 1U);
}

struct CountCase {
  std::uint64_t count, zero_count;
  std::vector<std::uint64_t> positive, negative;
  std::optional<double> sum;
  bool is_taken;
};

// D01: Prometheus answers 500 to these for ever, and everybody's data waits behind them.
TEST(Translator, ACountThatDoesNotFitTheBucketsIsRefused) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr std::uint64_t kLarge = 1ULL << 62U;
  const std::vector<CountCase> cases{
      {10, 0, {10, 10, 7}, {}, 50, false},  // d01.json
      {27, 0, {10, 10, 7}, {}, 50, true},
      {28, 0, {10, 10, 7}, {}, 50, false},  // 2.42 takes it, 3.x does not
      {30, 3, {10, 10}, {7}, 50, true},
      {3, 5, {}, {}, 0, false},   // zero_count over count
      {0, 0, {1}, {}, 1, false},  // no count, but buckets
      {7, 0, {}, {}, 1, false},   // a count, but no buckets
      {0, 0, {}, {}, 0, true},
      {0, 0, {0, 0}, {0}, 0, true},
      {5, 0, {6}, {}, kNan, false},  // no sum: no less
      {7, 0, {6}, {}, kNan, true},
      {7, 0, {6}, {}, std::nullopt, true},
      {5, 0, {6}, {}, std::nullopt, false},
      {kLarge, 0, {kLarge}, {}, 1, true},
      {0, kLarge, {kLarge, kLarge}, {kLarge}, 1, false},  // adds up to 0 in 64 bits
      {0, 0, {1ULL << 63U, 1ULL << 63U}, {}, 1, false},
      {1ULL << 63U, 1ULL << 63U, {}, {}, 1, false},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const CountCase& one = cases[i];
    Request request;
    auto* point = request.exponential("h");
    point->set_count(one.count);
    point->set_zero_count(one.zero_count);
    for (const auto count : one.positive) point->mutable_positive()->add_bucket_counts(count);
    for (const auto count : one.negative) point->mutable_negative()->add_bucket_counts(count);
    if (one.sum) point->set_sum(*one.sum);
    EXPECT_EQ(translated(request.body()).size(), one.is_taken ? 1U : 0U) << "case " << i;
  }
}

// Some senders spell out the last bound; its bucket and the count's were two values of one series.
TEST(Translator, AnInfiniteLastBoundIsTheCountsBucket) {
  Request request;
  auto* point = request.histogram("h");
  point->add_explicit_bounds(1);
  point->add_explicit_bounds(std::numeric_limits<double>::infinity());
  for (const std::uint64_t count : {1, 2, 0}) point->add_bucket_counts(count);
  point->set_count(3);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(h_bucket{customer_id="cliente-a",le="1.0"} 1 @1800000000123)",
                   R"(h_bucket{customer_id="cliente-a",le="+Inf"} 3 @1800000000123)",
                   R"(h_count{customer_id="cliente-a"} 3 @1800000000123)"}));
}

TEST(Translator, AQuantileGivenTwiceIsRefused) {
  for (const double second : {0.9, 0.5}) {
    Request request;
    auto* point = request.metric("s")->mutable_summary()->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    point->add_quantile_values()->set_quantile(0.5);
    point->add_quantile_values()->set_quantile(second);
    EXPECT_EQ(translated(request.body()).size(), second == 0.5 ? 0U : 4U);
  }
}

// R-PM-8, C01: no threshold is 1e-128.
TEST(Translator, FinerScalesAreMergedAndGapsBecomeSpans) {
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(9);
  point->set_count(11);
  point->set_sum(1);
  auto* positive = point->mutable_positive();
  positive->set_offset(-3);
  for (const std::uint64_t count : {1, 2, 3}) positive->add_bucket_counts(count);  // -3, -2, -1
  for (int i = 0; i < 10; ++i) positive->add_bucket_counts(0);
  positive->add_bucket_counts(5);  // index 10
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_EQ(native.schema, 8);
  EXPECT_EQ(native.zero_threshold, 1e-128);
  // -3 → -2, -2 and -1 → -1, 10 → 5; one more in Prometheus' counting.
  EXPECT_EQ(native.spans, (std::vector<std::pair<std::int32_t, std::uint32_t>>{{-1, 2}, {5, 1}}));
  EXPECT_EQ(native.deltas, (std::vector<std::int64_t>{1, 4, 0}));
}

// R-PM-10.
TEST(Translator, AStaleNativeHistogramIsTheMarkInItsSum) {
  Request request;
  auto* point = request.exponential("h");
  point->set_flags(1);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_TRUE(is_stale_mark(native.sum));
  EXPECT_EQ(native.count, 0U);
}

TEST(Translator, ADamagedExemplarIsLeftOutAndItsPointStays) {
  Request request;
  auto* point = request.histogram("h");
  point->set_count(1);
  point->add_exemplars()->set_span_id("DAMAGED");
  set(point->add_exemplars()->mutable_filtered_attributes(), "DAMAGED", "");
  std::string body = request.body();
  for (auto at = body.find("DAMAGED"); at != std::string::npos; at = body.find("DAMAGED", at))
    body.replace(at - 1, 2, "\x7f_");  // a length past the end of the exemplar
  const auto taken = translated(body);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken.at(0).exemplars, "");
}

// R-PM-11.
TEST(Translator, AnExemplarGoesToItsBucketWithItsTrace) {
  Request request;
  auto* point = request.histogram("h");
  point->add_explicit_bounds(1);
  point->add_bucket_counts(1);
  point->add_bucket_counts(0);
  point->set_count(1);
  auto* exemplar = point->add_exemplars();
  exemplar->set_as_double(0.5);
  exemplar->set_trace_id(std::string(16, '\x5b'));
  exemplar->set_span_id(std::string(8, '\x01'));
  set(exemplar->mutable_filtered_attributes(), "trace.id", "forged");
  set(exemplar->mutable_filtered_attributes(), "long", std::string(100, 'x'));
  const auto taken = translated(request.body());
  EXPECT_NE(taken.at(0).exemplars.find(std::string(32, '5').replace(1, 1, "b").substr(0, 2)),
            std::string::npos);
  EXPECT_EQ(taken.at(0).exemplars.find("forged"), std::string::npos);
  EXPECT_EQ(taken.at(0).exemplars.find("long"), std::string::npos);
  EXPECT_EQ(taken.at(1).exemplars, "");
}

TEST(Translator, SeriesHashesTellLabelSetsApart) {
  Request request;
  std::set<std::uint64_t> hashes;
  for (int i = 0; i < 100; ++i) {
    set(request.gauge("m", 1)->mutable_attributes(), "i", std::to_string(i));
  }
  for (const Taken& one : translated(request.body())) hashes.insert(one.hash);
  EXPECT_EQ(hashes.size(), 100U);
}

TEST(Translator, ABodyThatDoesNotFitItsVerdictsIsDamaged) {
  Request request;
  request.gauge("m", 1);
  const SystemClock clock;
  SeriesCache cache({}, clock);
  Translator translator({}, cache);
  CollectingSink sink;
  const auto customer = *CustomerId::parse("cliente-a");
  EXPECT_FALSE(translator.translate(customer, request.body(), Verdicts(2), sink).has_value());
  EXPECT_FALSE(translator.translate(customer, "\xff", Verdicts(1), sink).has_value());
}

}  // namespace
}  // namespace vigia::series
