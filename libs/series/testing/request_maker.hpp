// Random OTLP metrics requests: every kind of point, with the names, units, attributes and shapes
// on which translators differ.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

namespace vigia::series {

/// One request of cliente-a, the same for the same seed.
class RequestMaker {
 public:
  explicit RequestMaker(std::uint64_t seed) : chance_(seed) {}
  std::string make();

 private:
  using Attributes = google::protobuf::RepeatedPtrField<opentelemetry::proto::common::v1::KeyValue>;

  std::uint64_t below(std::uint64_t bound) { return chance_() % bound; }
  bool one_in(std::uint64_t times) { return below(times) == 0; }
  template <typename Texts>
  std::string_view any_of(const Texts& texts) {
    return texts[below(texts.size())];
  }
  double number();
  std::string name();
  void add_attributes(Attributes& attributes, std::uint64_t most);
  void add_value(opentelemetry::proto::common::v1::AnyValue& value, int depth);
  template <typename Point>
  void begin_point(Point& point);
  template <typename Point>
  void add_exemplars(Point& point);
  void add_metric(opentelemetry::proto::metrics::v1::ScopeMetrics& scope);
  void add_number(opentelemetry::proto::metrics::v1::NumberDataPoint& point);
  void add_histogram(opentelemetry::proto::metrics::v1::Histogram& histogram);
  void add_exponential(opentelemetry::proto::metrics::v1::ExponentialHistogram& histogram);
  void add_summary(opentelemetry::proto::metrics::v1::Summary& summary);

  std::mt19937_64 chance_;
};

}  // namespace vigia::series
