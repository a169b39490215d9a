#include "services/agent/telemetry/sdk_meter.hpp"

#include <map>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

#include "services/agent/telemetry/host_families.hpp"

namespace vigia::agent::telemetry {
namespace {

using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::metrics::v1::Metric;

constexpr std::int64_t kTime = 1'795'574'400'000'000'000;

ExportMetricsServiceRequest decode(const EncodedMetrics& encoded) {
  ExportMetricsServiceRequest request;
  EXPECT_TRUE(request.ParseFromString(encoded.body));
  return request;
}

std::map<std::string, Metric> metrics_of(const ExportMetricsServiceRequest& request) {
  std::map<std::string, Metric> found;
  for (const auto& metric : request.resource_metrics(0).scope_metrics(0).metrics()) {
    found[metric.name()] = metric;
  }
  return found;
}

host::MetricFamily disk_family(std::vector<std::pair<std::string, std::int64_t>> values) {
  host::MetricFamily family{"system.disk.io",
                            "By",
                            "Bytes read and written",
                            host::InstrumentKind::kCounter,
                            false,
                            12345,
                            {}};
  for (auto& [device, value] : values) {
    family.points.push_back({{{"system.device", device}}, value});
  }
  return family;
}

TEST(SdkMeter, ReferenceClassesReadWhatIsWritten) {
  SdkMeter meter(
      {{"service.name", {"vigia-agent"}, false}, {"host.ip", {"10.0.0.1", "::1"}, true}});
  const std::vector<host::MetricFamily> families = {
      disk_family({{"sda", 7}}),
      {"system_cpu_usage", "", "CPU in use", host::InstrumentKind::kGauge, true, 0, {{{}, 42.5}}}};
  const auto encoded = meter.collect(families, kTime);
  EXPECT_EQ(encoded.points, 2U);
  const auto request = decode(encoded);
  const auto& resource = request.resource_metrics(0).resource();
  EXPECT_EQ(resource.attributes(0).value().string_value(), "vigia-agent");
  EXPECT_EQ(resource.attributes(1).value().array_value().values(1).string_value(), "::1");
  const auto metrics = metrics_of(request);
  const auto& io = metrics.at("system.disk.io");
  EXPECT_EQ(io.unit(), "By");
  EXPECT_TRUE(io.sum().is_monotonic());
  EXPECT_EQ(io.sum().aggregation_temporality(),
            opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  EXPECT_EQ(io.sum().data_points(0).as_int(), 7);
  EXPECT_EQ(io.sum().data_points(0).start_time_unix_nano(), 12345U);
  EXPECT_EQ(io.sum().data_points(0).time_unix_nano(), static_cast<std::uint64_t>(kTime));
  EXPECT_EQ(io.sum().data_points(0).attributes(0).key(), "system.device");
  const auto& usage = metrics.at("system_cpu_usage");
  EXPECT_EQ(usage.unit(), "");
  EXPECT_DOUBLE_EQ(usage.gauge().data_points(0).as_double(), 42.5);
}

TEST(SdkMeter, PointsOfDevicesThatHaveGoneAreNotRepeated) {
  SdkMeter meter({});
  const std::vector<host::MetricFamily> both = {disk_family({{"sda", 7}, {"sdb", 8}})};
  EXPECT_EQ(meter.collect(both, kTime).points, 2U);
  const std::vector<host::MetricFamily> one = {disk_family({{"sda", 9}})};
  const auto encoded = meter.collect(one, kTime + 1);
  EXPECT_EQ(encoded.points, 1U);
  EXPECT_EQ(metrics_of(decode(encoded)).at("system.disk.io").sum().data_points(0).as_int(), 9);
  EXPECT_EQ(meter.collect({}, kTime + 2).points, 0U);
  EXPECT_EQ(meter.collect({}, kTime + 2).body, "");
}

TEST(SdkMeter, SumsThatFallAreSentAsTheyAre) {
  SdkMeter meter({});
  const std::vector<host::MetricFamily> before = {disk_family({{"sda", 1000}})};
  const std::vector<host::MetricFamily> after = {disk_family({{"sda", 3}})};
  meter.collect(before, kTime);
  const auto metrics = metrics_of(decode(meter.collect(after, kTime + 1)));
  EXPECT_EQ(metrics.at("system.disk.io").sum().data_points(0).as_int(), 3);
}

TEST(SdkMeter, ThousandsOfShortLivedDevicesAreNeverMerged) {
  SdkMeter meter({});
  for (int round = 0; round < 60; ++round) {
    std::vector<std::pair<std::string, std::int64_t>> values;
    for (int device = 0; device < 100; ++device) {
      values.emplace_back("veth" + std::to_string(round) + "-" + std::to_string(device), round);
    }
    const std::vector<host::MetricFamily> families = {disk_family(std::move(values))};
    const auto encoded = meter.collect(families, kTime + round);
    ASSERT_EQ(encoded.points, 100U) << "round " << round;
    const auto metrics = metrics_of(decode(encoded));
    for (const auto& point : metrics.at("system.disk.io").sum().data_points()) {
      ASSERT_EQ(point.as_int(), round);
    }
  }
}

TEST(HostFamilies, EmptyReadingGivesNothing) {
  EXPECT_TRUE(host_families(host::HostReading{}, 1).empty());
}

}  // namespace
}  // namespace vigia::agent::telemetry
