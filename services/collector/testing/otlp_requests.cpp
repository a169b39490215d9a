#include "services/collector/testing/otlp_requests.hpp"

#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

namespace vigia::collector::testing {
namespace {

namespace pb = opentelemetry::proto;

template <typename Owner>
void set(Owner* owner, const std::string& key, const std::string& value) {
  auto* entry = owner->add_attributes();
  entry->set_key(key);
  entry->mutable_value()->set_string_value(value);
}

template <typename Group>
void set_customer(Group* group, const std::string& customer) {
  if (!customer.empty()) set(group->mutable_resource(), "customer.id", customer);
}

}  // namespace

struct MetricsBody::Message {
  pb::collector::metrics::v1::ExportMetricsServiceRequest request;
};

MetricsBody::MetricsBody() : message_(std::make_unique<Message>()) {}
MetricsBody::~MetricsBody() = default;

MetricsBody& MetricsBody::resource(const std::string& customer, const Attributes& more) {
  auto* group = message_->request.add_resource_metrics();
  set_customer(group, customer);
  for (const auto& [key, value] : more) set(group->mutable_resource(), key, value);
  return *this;
}

MetricsBody& MetricsBody::gauge(const std::string& name, std::int64_t time_ms,
                                const Attributes& attributes, double value) {
  auto& groups = *message_->request.mutable_resource_metrics();
  auto* metric = groups.rbegin()->add_scope_metrics()->add_metrics();
  metric->set_name(name);
  auto* point = metric->mutable_gauge()->add_data_points();
  point->set_time_unix_nano(static_cast<std::uint64_t>(time_ms) * 1'000'000);
  point->set_as_double(value);
  for (const auto& [key, text] : attributes) set(point, key, text);
  return *this;
}

MetricsBody& MetricsBody::histogram(const std::string& name, std::int64_t time_ms) {
  auto& groups = *message_->request.mutable_resource_metrics();
  auto* metric = groups.rbegin()->add_scope_metrics()->add_metrics();
  metric->set_name(name);
  auto* histogram = metric->mutable_histogram();
  histogram->set_aggregation_temporality(
      pb::metrics::v1::AggregationTemporality::AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto* point = histogram->add_data_points();
  point->set_time_unix_nano(static_cast<std::uint64_t>(time_ms) * 1'000'000);
  point->set_count(1);
  point->set_sum(1);
  point->add_bucket_counts(1);
  return *this;
}

std::string MetricsBody::bytes() const { return message_->request.SerializeAsString(); }

std::string one_gauge(const std::string& customer, const std::string& name, std::int64_t time_ms) {
  return MetricsBody().resource(customer).gauge(name, time_ms).bytes();
}

std::string one_span(const std::string& customer) {
  pb::collector::trace::v1::ExportTraceServiceRequest request;
  auto* group = request.add_resource_spans();
  set_customer(group, customer);
  auto* span = group->add_scope_spans()->add_spans();
  span->set_trace_id(std::string(16, '\x01'));
  span->set_span_id(std::string(8, '\x02'));
  span->set_name("GET /");
  return request.SerializeAsString();
}

std::string one_record(const std::string& customer) {
  pb::collector::logs::v1::ExportLogsServiceRequest request;
  auto* group = request.add_resource_logs();
  set_customer(group, customer);
  group->add_scope_logs()->add_log_records()->mutable_body()->set_string_value("hello");
  return request.SerializeAsString();
}

PartialSuccess read_metrics_response(std::string_view bytes) {
  pb::collector::metrics::v1::ExportMetricsServiceResponse response;
  if (!response.ParseFromString(std::string(bytes))) return {};
  return {response.partial_success().rejected_data_points(),
          response.partial_success().error_message()};
}

int count_resources(std::string_view bytes) {
  pb::collector::metrics::v1::ExportMetricsServiceRequest request;
  return request.ParseFromString(std::string(bytes)) ? request.resource_metrics_size() : -1;
}

}  // namespace vigia::collector::testing
