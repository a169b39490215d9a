#include "services/collector/exporters/routing.hpp"

#include <gtest/gtest.h>

namespace vigia::collector {
namespace {

ExporterSettings exporter(ExporterKind kind, std::string name, std::vector<Signal> signals) {
  ExporterSettings settings;
  settings.kind = kind;
  settings.id = "x/" + name;
  settings.name = std::move(name);
  settings.signals = std::move(signals);
  return settings;
}

std::shared_ptr<const tenancy::Directory> directory() {
  return *tenancy::Directory::parse("customers:\n  - {id: a, name: A, hot_shard: mimir}\n", "test");
}

TEST(Routing, AShardTakesItsOwnCustomersOnly) {
  Routing shard(exporter(ExporterKind::kPrometheusRemoteWrite, "hot-0", {Signal::kMetrics}));
  EXPECT_TRUE(shard.takes(Signal::kMetrics, "hot-0", nullptr));
  EXPECT_FALSE(shard.takes(Signal::kMetrics, "hot-1", nullptr));
  EXPECT_FALSE(shard.takes(Signal::kLogs, "hot-0", nullptr));
  EXPECT_TRUE(shard.is_shard(nullptr));
}

TEST(Routing, AnyOtherNameTakesAll) {
  Routing cold(exporter(ExporterKind::kPrometheusRemoteWrite, "cold", {Signal::kMetrics}));
  EXPECT_TRUE(cold.takes(Signal::kMetrics, "hot-1", directory()));
  EXPECT_FALSE(cold.is_shard(directory()));
}

TEST(Routing, ANameThatACustomerIsAssignedToIsAShard) {
  Routing mimir(exporter(ExporterKind::kPrometheusRemoteWrite, "mimir", {Signal::kMetrics}));
  EXPECT_TRUE(mimir.takes(Signal::kMetrics, "mimir", directory()));
  EXPECT_FALSE(mimir.takes(Signal::kMetrics, "hot-0", directory()));
}

TEST(Routing, OtherKindsTakeEveryRoute) {
  Routing otlp(exporter(ExporterKind::kOtlpHttp, "hot-0", {Signal::kTraces}));
  EXPECT_TRUE(otlp.takes(Signal::kTraces, "hot-1", nullptr));
  EXPECT_FALSE(otlp.takes(Signal::kMetrics, "hot-0", nullptr));
}

}  // namespace
}  // namespace vigia::collector
