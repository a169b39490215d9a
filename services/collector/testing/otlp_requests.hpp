// Requests for the collector's tests, from the reference protobuf classes.
#pragma once

#include <cstdint>
#include <string>

#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

namespace vigia::collector::testing {

namespace pb = opentelemetry::proto;
using MetricsRequest = pb::collector::metrics::v1::ExportMetricsServiceRequest;
using TracesRequest = pb::collector::trace::v1::ExportTraceServiceRequest;
using LogsRequest = pb::collector::logs::v1::ExportLogsServiceRequest;

template <typename Owner>
void set(Owner* owner, const std::string& key, const std::string& value) {
  auto* entry = owner->add_attributes();
  entry->set_key(key);
  entry->mutable_value()->set_string_value(value);
}

/// A resource of that customer; "" names none.
inline auto* add_resource(MetricsRequest& request, const std::string& customer) {
  auto* group = request.add_resource_metrics();
  if (!customer.empty()) set(group->mutable_resource(), "customer.id", customer);
  return group;
}

inline auto* add_gauge(pb::metrics::v1::ResourceMetrics* group, const std::string& name,
                       std::int64_t time_ms, double value = 1) {
  auto* metric = group->add_scope_metrics()->add_metrics();
  metric->set_name(name);
  auto* point = metric->mutable_gauge()->add_data_points();
  point->set_time_unix_nano(static_cast<std::uint64_t>(time_ms) * 1'000'000);
  point->set_as_double(value);
  return point;
}

inline std::string one_gauge(const std::string& customer, const std::string& name,
                             std::int64_t time_ms) {
  MetricsRequest request;
  add_gauge(add_resource(request, customer), name, time_ms);
  return request.SerializeAsString();
}

inline std::string one_span(const std::string& customer) {
  TracesRequest request;
  auto* group = request.add_resource_spans();
  if (!customer.empty()) set(group->mutable_resource(), "customer.id", customer);
  auto* span = group->add_scope_spans()->add_spans();
  span->set_trace_id(std::string(16, '\x01'));
  span->set_span_id(std::string(8, '\x02'));
  span->set_name("GET /");
  return request.SerializeAsString();
}

inline std::string one_record(const std::string& customer) {
  LogsRequest request;
  auto* group = request.add_resource_logs();
  if (!customer.empty()) set(group->mutable_resource(), "customer.id", customer);
  group->add_scope_logs()->add_log_records()->mutable_body()->set_string_value("hello");
  return request.SerializeAsString();
}

}  // namespace vigia::collector::testing
