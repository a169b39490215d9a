// Requests made with the reference protobuf classes, and what the translator makes of them, as
// text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

#include "libs/series/translator.hpp"

namespace vigia::series {

namespace pb = opentelemetry::proto;
using pb::collector::metrics::v1::ExportMetricsServiceRequest;

inline constexpr std::uint64_t kTimeNs = 1'800'000'000'123'000'000ULL;

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

inline std::vector<Taken> translated(const std::string& body,
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

inline std::vector<std::string> texts(const std::vector<Taken>& taken) {
  std::vector<std::string> out;
  for (const Taken& one : taken) out.push_back(one.text);
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace vigia::series
