#include "services/agent/telemetry/duration_metrics.hpp"

#include <string_view>

#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/fields.hpp"
#include "services/agent/telemetry/otlp_writer.hpp"

namespace vigia::agent::telemetry {

namespace {

constexpr std::string_view kName = "http_request_duration_seconds";
constexpr std::string_view kDescription =
    "Average duration of the HTTP requests answered since the last sample";

using wire::otlp::ExportRequestField;
using wire::otlp::GroupField;
using wire::otlp::MetricDataField;
using wire::otlp::MetricField;
using wire::otlp::NumberPointField;

std::string encode_scope_metrics(double average_seconds, std::int64_t time_ns) {
  std::string scope_metrics;
  protozero::pbf_writer writer(scope_metrics);
  {
    protozero::pbf_writer scope(writer, GroupField::kHead.number);
    scope.add_string(wire::otlp::ScopeField::kName.number, "vigia-agent");
  }
  protozero::pbf_writer metric(writer, GroupField::kMembers.number);
  metric.add_string(MetricField::kName.number, kName.data(), kName.size());
  metric.add_string(MetricField::kDescription.number, kDescription.data(), kDescription.size());
  protozero::pbf_writer gauge(metric, MetricField::kGauge.number);
  protozero::pbf_writer point(gauge, MetricDataField::kPoints.number);
  point.add_fixed64(NumberPointField::kTime.number, static_cast<std::uint64_t>(time_ns));
  point.add_double(NumberPointField::kDouble.number, average_seconds);
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
    protozero::pbf_writer metrics(request, ExportRequestField::kGroups.number);
    metrics.add_message(GroupField::kHead.number, encode_resource(resource));
    metrics.add_message(GroupField::kMembers.number,
                        encode_scope_metrics(duration.average_seconds, time_ns));
    ++encoded.points;
  }
  return encoded;
}

}  // namespace vigia::agent::telemetry
