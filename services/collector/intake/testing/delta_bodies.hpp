// Requests of deltas, and what became of them, by the reference protobuf classes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

#include "libs/disk_log/disk_log.hpp"
#include "libs/model/verdicts.hpp"

namespace vigia::collector::intake {

namespace pb = opentelemetry::proto;
using pb::collector::metrics::v1::ExportMetricsServiceRequest;

/// A point of one stream, which is named by its metric.
struct DeltaValue {
  std::string stream;
  std::uint64_t time_s = 0;
  std::int64_t value = 0;
};

inline void set_text(pb::common::v1::KeyValue* attribute, const std::string& key,
                     const std::string& value) {
  attribute->set_key(key);
  attribute->mutable_value()->set_string_value(value);
}

/// Monotonic sums of ten seconds each.
inline ExportMetricsServiceRequest delta_request(const std::vector<DeltaValue>& values,
                                                 const std::string& customer = "cliente-a") {
  ExportMetricsServiceRequest request;
  auto* group = request.add_resource_metrics();
  set_text(group->mutable_resource()->add_attributes(), "customer.id", customer);
  auto* scope = group->add_scope_metrics();
  for (const DeltaValue& value : values) {
    auto* metric = scope->add_metrics();
    metric->set_name(value.stream);
    auto* sum = metric->mutable_sum();
    sum->set_is_monotonic(true);
    sum->set_aggregation_temporality(pb::metrics::v1::AGGREGATION_TEMPORALITY_DELTA);
    auto* point = sum->add_data_points();
    point->set_start_time_unix_nano((value.time_s - 10) * 1'000'000'000);
    point->set_time_unix_nano(value.time_s * 1'000'000'000);
    point->set_as_int(value.value);
  }
  return request;
}

/// The accepted points of a record, in the order of the body.
inline std::vector<DeltaValue> accepted_sums(const disk_log::DiskRecord& record) {
  std::vector<DeltaValue> values;
  ExportMetricsServiceRequest request;
  EXPECT_TRUE(request.ParseFromString(record.body));
  const auto verdicts = *Verdicts::decode(record.header.tag.note);
  std::uint32_t item = 0;
  for (const auto& group : request.resource_metrics()) {
    for (const auto& scope : group.scope_metrics()) {
      for (const auto& metric : scope.metrics()) {
        EXPECT_EQ(metric.sum().aggregation_temporality(),
                  pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
        for (const auto& point : metric.sum().data_points()) {
          if (!verdicts.is_rejected(item++))
            values.push_back(
                {metric.name(), point.time_unix_nano() / 1'000'000'000, point.as_int()});
        }
      }
    }
  }
  return values;
}

}  // namespace vigia::collector::intake
