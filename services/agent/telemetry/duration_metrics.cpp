#include "services/agent/telemetry/duration_metrics.hpp"

#include <string_view>

#include <protozero/pbf_writer.hpp>

#include "services/agent/telemetry/otlp_writer.hpp"

namespace vigia::agent::telemetry {

namespace {

constexpr std::string_view kName = "http_request_duration_seconds";
constexpr std::string_view kDescription =
    "Average duration of the HTTP requests answered since the last sample";

// Field numbers of opentelemetry-proto.
constexpr std::uint32_t kResourceMetricsField = 1;
constexpr std::uint32_t kResourceField = 1;
constexpr std::uint32_t kScopeMetricsField = 2;
constexpr std::uint32_t kScopeField = 1;
constexpr std::uint32_t kMetricsField = 2;
constexpr std::uint32_t kNameField = 1;
constexpr std::uint32_t kDescriptionField = 2;
constexpr std::uint32_t kGaugeField = 5;
constexpr std::uint32_t kPointsField = 1;
constexpr std::uint32_t kTimeField = 3;
constexpr std::uint32_t kDoubleField = 4;

std::string encode_scope_metrics(double average_seconds, std::int64_t time_ns) {
  std::string scope_metrics;
  protozero::pbf_writer writer(scope_metrics);
  {
    protozero::pbf_writer scope(writer, kScopeField);
    scope.add_string(kNameField, "vigia-agent");
  }
  protozero::pbf_writer metric(writer, kMetricsField);
  metric.add_string(kNameField, kName.data(), kName.size());
  metric.add_string(kDescriptionField, kDescription.data(), kDescription.size());
  protozero::pbf_writer gauge(metric, kGaugeField);
  protozero::pbf_writer point(gauge, kPointsField);
  point.add_fixed64(kTimeField, static_cast<std::uint64_t>(time_ns));
  point.add_double(kDoubleField, average_seconds);
  return scope_metrics;
}

}  // namespace

EncodedMetrics encode_durations(const std::vector<ServiceDuration>& durations,
                                const host::NodeSettings& node, std::int64_t time_ns) {
  EncodedMetrics encoded;
  protozero::pbf_writer request(encoded.body);
  for (const ServiceDuration& duration : durations) {
    auto resource = host::node_attributes(node);
    resource.push_back({"service.name", {duration.service_name}, false});
    if (!duration.service_namespace.empty()) {
      resource.push_back({"service.namespace", {duration.service_namespace}, false});
    }
    resource.push_back({"service.instance.id", {node.node.text()}, false});
    protozero::pbf_writer metrics(request, kResourceMetricsField);
    metrics.add_message(kResourceField, encode_resource(resource));
    metrics.add_message(kScopeMetricsField,
                        encode_scope_metrics(duration.average_seconds, time_ns));
    ++encoded.points;
  }
  return encoded;
}

}  // namespace vigia::agent::telemetry
