// Requests with deltas, made with the reference protobuf classes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

namespace vigia::deltas {

namespace otlp = opentelemetry::proto;
using otlp::collector::metrics::v1::ExportMetricsServiceRequest;
using otlp::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE;
using otlp::metrics::v1::AGGREGATION_TEMPORALITY_DELTA;

inline void set_text(otlp::common::v1::KeyValue* attribute, const std::string& key,
                     const std::string& value) {
  attribute->set_key(key);
  attribute->mutable_value()->set_string_value(value);
}

inline std::string histogram(const std::string& name, std::uint64_t time_s, bool is_delta,
                             const std::vector<std::uint64_t>& counts, double sum) {
  ExportMetricsServiceRequest request;
  auto* resource = request.add_resource_metrics();
  set_text(resource->mutable_resource()->add_attributes(), "service.name", "tienda");
  auto* metric = resource->add_scope_metrics()->add_metrics();
  metric->set_name(name);
  metric->set_unit("s");
  metric->mutable_histogram()->set_aggregation_temporality(
      is_delta ? AGGREGATION_TEMPORALITY_DELTA : AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto* point = metric->mutable_histogram()->add_data_points();
  point->set_start_time_unix_nano(90'000'000'000);
  point->set_time_unix_nano(time_s * 1'000'000'000);
  std::uint64_t total = 0;
  for (const auto count : counts) {
    point->add_bucket_counts(count);
    total += count;
  }
  for (std::size_t bound = 1; bound < counts.size(); ++bound) {
    point->add_explicit_bounds(static_cast<double>(bound));
  }
  point->set_count(total);
  point->set_sum(sum);
  point->set_min(0.1);
  point->set_max(3);
  return request.SerializeAsString();
}

}  // namespace vigia::deltas
