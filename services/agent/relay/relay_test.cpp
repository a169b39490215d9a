#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>

#include "libs/deltas/testing/delta_requests.hpp"
#include "services/agent/host/node.hpp"
#include "services/agent/relay/stamp.hpp"
#include "services/agent/telemetry/duration_metrics.hpp"
#include "services/agent/telemetry/request_durations.hpp"

namespace vigia::agent::relay {
namespace {

using deltas::ExportMetricsServiceRequest;
using deltas::histogram;
using deltas::set_text;
namespace otlp = opentelemetry::proto;

using otlp::collector::logs::v1::ExportLogsServiceRequest;

host::NodeSettings node() {
  return {.customer = *CustomerId::parse("cliente-a"),
          .customer_name = "Empresa XYZ",
          .node = *NodeId::parse("web-01"),
          .region = "us-east-1",
          .environment = "production"};
}

std::multimap<std::string, std::string> texts(const otlp::resource::v1::Resource& resource) {
  std::multimap<std::string, std::string> found;
  for (const auto& attribute : resource.attributes()) {
    found.emplace(attribute.key(), attribute.value().string_value());
  }
  return found;
}

TEST(ResourceStamp, ForeignValuesAreReplacedAndTheRestIsKept) {
  ExportLogsServiceRequest request;
  auto* logs = request.add_resource_logs();
  logs->set_schema_url("schema");
  auto* resource = logs->mutable_resource();
  set_text(resource->add_attributes(), "customer.id", "cliente-b");
  set_text(resource->add_attributes(), "service.name", "tienda");
  set_text(resource->add_attributes(), "customer-id", "forged");
  set_text(resource->add_attributes(), "node__id", "forged");
  resource->set_dropped_attributes_count(3);
  logs->add_scope_logs()->add_log_records()->mutable_body()->set_string_value("hola");
  request.add_resource_logs();  // without any resource
  const std::string body = request.SerializeAsString();
  ASSERT_EQ(inspect_request(Signal::kLogs, body)->items, 1U);

  ExportLogsServiceRequest stamped;
  ASSERT_TRUE(stamped.ParseFromString(ResourceStamp(host::node_attributes(node())).apply(body)));
  using testing::Pair;
  EXPECT_THAT(texts(stamped.resource_logs(0).resource()),
              testing::UnorderedElementsAre(
                  Pair("service.name", "tienda"), Pair("customer.id", "cliente-a"),
                  Pair("customer.name", "Empresa XYZ"), Pair("node.id", "web-01"),
                  Pair("node.region", "us-east-1"), Pair("environment", "production")));
  EXPECT_EQ(stamped.resource_logs(0).resource().dropped_attributes_count(), 3U);
  EXPECT_EQ(stamped.resource_logs(0).schema_url(), "schema");
  EXPECT_EQ(stamped.resource_logs(0).scope_logs(0).log_records(0).body().string_value(), "hola");
  EXPECT_EQ(texts(stamped.resource_logs(1).resource()).count("customer.id"), 1U);
}

TEST(ResourceStamp, WhatItMakesIsKnownBefore) {
  const ResourceStamp stamp(host::node_attributes(node()));
  std::string envelopes;
  for (int number = 0; number < 1000; ++number) envelopes += std::string("\x0a\x00", 2);
  EXPECT_LE(stamp.apply(envelopes).size(), stamp.stamped_bytes_max(envelopes));
  EXPECT_GT(stamp.apply(envelopes).size(), stamp.stamped_bytes_max(envelopes) * 9 / 10);
  ExportLogsServiceRequest request;
  for (int number = 1; number < 300; ++number) {  // lengths of one byte become such of two, three
    auto* resource = request.add_resource_logs()->mutable_resource();
    const std::string text(static_cast<std::size_t>(number) * 60, 'x');
    set_text(resource->add_attributes(), "service.name", text);
  }
  const std::string body = request.SerializeAsString();
  EXPECT_LE(stamp.apply(body).size(), stamp.stamped_bytes_max(body));
}

TEST(ResourceStamp, GarbageIsRefusedBeforehand) {
  EXPECT_FALSE(inspect_request(Signal::kMetrics, "\x0a\x05garb"));
  // An attribute of the resource that is no KeyValue: only the stamp reads so far.
  EXPECT_FALSE(inspect_request(Signal::kLogs, "\x0a\x05\x0a\x03\x0a\x01\x0f"));
  EXPECT_EQ(inspect_request(Signal::kMetrics, "")->items, 0U);
}

TEST(RequestDurations, AveragesOfTheRequestsSinceTheLastSample) {
  const std::string name = "http.server.request.duration";
  telemetry::RequestDurations durations;
  const auto observe = [&](const std::string& body) {
    durations.observe(body);
    durations.commit();
  };
  observe(histogram(name, 100, true, {1, 3}, 2));
  observe(histogram(name, 101, true, {0, 4}, 2));
  observe(histogram("http.client.request.duration", 101, true, {0, 4}, 200));
  auto taken = durations.take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].service_name, "tienda");
  EXPECT_DOUBLE_EQ(taken[0].average_seconds, 0.5);
  EXPECT_TRUE(durations.take().empty());
}

TEST(RequestDurations, CumulativeHistogramsCountFromTheirLastReport) {
  const std::string name = "http.server.request.duration";
  telemetry::RequestDurations durations;
  const auto observe = [&](const std::string& body) {
    durations.observe(body);
    durations.commit();
  };
  observe(histogram(name, 100, false, {2, 2}, 4));  // began 10 s ago: taken whole
  EXPECT_DOUBLE_EQ(durations.take().at(0).average_seconds, 1);
  durations.observe(histogram(name, 110, false, {4, 2}, 10));
  durations.discard();  // was not kept: comes again
  observe(histogram(name, 110, false, {4, 2}, 10));
  EXPECT_DOUBLE_EQ(durations.take().at(0).average_seconds, 3);
  observe(histogram(name, 120, false, {4, 2}, 10));
  EXPECT_TRUE(durations.take().empty());  // no request since
}

TEST(RequestDurations, SeriesThatBeganLongAgoOnlySetsTheMark) {
  telemetry::RequestDurations durations;
  durations.observe(histogram("http.server.request.duration", 10'000, false, {2, 2}, 4));
  durations.commit();
  EXPECT_TRUE(durations.take().empty());
}

TEST(DurationMetrics, OneGaugeAServiceWithoutAUnit) {
  const auto encoded = telemetry::encode_durations({{"shop", "tienda", 0.25}}, node(), 5);
  EXPECT_EQ(encoded.points, 1U);
  ExportMetricsServiceRequest request;
  ASSERT_TRUE(request.ParseFromString(encoded.body));
  const auto& metrics = request.resource_metrics(0);
  const auto resource = texts(metrics.resource());
  EXPECT_EQ(resource.find("service.name")->second, "tienda");
  EXPECT_EQ(resource.find("service.namespace")->second, "shop");
  EXPECT_EQ(resource.find("customer.id")->second, "cliente-a");
  const auto& metric = metrics.scope_metrics(0).metrics(0);
  EXPECT_EQ(metric.name(), "http_request_duration_seconds");
  EXPECT_EQ(metric.unit(), "");
  EXPECT_DOUBLE_EQ(metric.gauge().data_points(0).as_double(), 0.25);
}

}  // namespace
}  // namespace vigia::agent::relay
