#include "services/collector/exporters/routing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::collector::exporters {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ExporterSettings exporter(bool may_be_shard, std::string name, std::vector<Signal> signals,
                          bool hot_shard = false) {
  ExporterSettings settings;
  settings.may_be_shard = may_be_shard;
  settings.id = "x/" + name;
  settings.name = std::move(name);
  settings.signals = std::move(signals);
  settings.hot_shard = hot_shard;
  return settings;
}
ExporterSettings remote_write(std::string name, bool hot_shard) {
  return exporter(true, std::move(name), {Signal::kMetrics}, hot_shard);
}

std::shared_ptr<const tenancy::Directory> directory() {
  return *tenancy::Directory::parse(
      "customers:\n  - {id: a, name: A, hot_shard: mimir}\n  - {id: b, name: B}\n", "test");
}

TEST(Routing, AShardTakesItsOwnRecordsOnly) {
  for (const char* name : {"hot-0", "mimir"}) {
    const Routing shard(remote_write(name, true));
    EXPECT_TRUE(shard.takes(Signal::kMetrics, name));
    EXPECT_FALSE(shard.takes(Signal::kMetrics, "hot-1"));
    EXPECT_FALSE(shard.takes(Signal::kMetrics, ""));
    EXPECT_FALSE(shard.takes(Signal::kLogs, name));
    EXPECT_TRUE(shard.is_shard());
  }
}

TEST(Routing, AnyOtherTakesAll) {
  const Routing cold(remote_write("cold", false));
  EXPECT_TRUE(cold.takes(Signal::kMetrics, "hot-1"));
  EXPECT_TRUE(cold.takes(Signal::kMetrics, "cold"));
  EXPECT_FALSE(cold.is_shard());
}

TEST(Routing, OtherKindsTakeEveryRoute) {
  const Routing otlp(exporter(false, "hot-0", {Signal::kTraces}, true));
  EXPECT_TRUE(otlp.takes(Signal::kTraces, "hot-1"));
  EXPECT_FALSE(otlp.takes(Signal::kMetrics, "hot-0"));
  EXPECT_FALSE(otlp.is_shard());
}

TEST(Routing, ShardsThatFitRaiseNoDoubt) {
  EXPECT_THAT(routing_doubts({remote_write("hot-0", true), remote_write("mimir", true),
                              remote_write("cold", false)},
                             *directory()),
              IsEmpty());
  EXPECT_THAT(routing_doubts({remote_write("cold", false)}, *directory()), IsEmpty());
}

TEST(Routing, AShardWithoutItsExporterOrUndeclaredIsDoubted) {
  EXPECT_THAT(routing_doubts({remote_write("hot-0", true)}, *directory()),
              ElementsAre(HasSubstr("mimir, which has no exporter")));
  EXPECT_THAT(
      routing_doubts({remote_write("hot-0", true), remote_write("mimir", false)}, *directory()),
      ElementsAre(HasSubstr("x/mimir is not one")));
}

}  // namespace
}  // namespace vigia::collector::exporters
