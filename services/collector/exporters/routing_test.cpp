#include "services/collector/exporters/routing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::collector::exporters {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ExporterSettings exporter(bool may_be_shard, std::string name, std::vector<Signal> signals,
                          std::string hot_shard = "") {
  ExporterSettings settings;
  settings.may_be_shard = may_be_shard;
  settings.id = "x/" + name;
  settings.name = std::move(name);
  settings.signals = std::move(signals);
  settings.hot_shard = std::move(hot_shard);
  return settings;
}
ExporterSettings remote_write(const std::string& name, bool is_shard) {
  return exporter(true, name, {Signal::kMetrics}, is_shard ? name : "");
}
ExporterSettings member_of(const std::string& shard, std::string name) {
  return exporter(true, std::move(name), {Signal::kMetrics}, shard);
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

TEST(Routing, BothMembersOfAPairTakeItsRecords) {
  for (const char* name : {"hot-0-a", "hot-0-b"}) {
    const Routing member(member_of("hot-0", name));
    EXPECT_TRUE(member.takes(Signal::kMetrics, "hot-0"));
    EXPECT_FALSE(member.takes(Signal::kMetrics, name));
    EXPECT_FALSE(member.takes(Signal::kMetrics, ""));
    EXPECT_TRUE(member.is_shard());
  }
}

TEST(Routing, ARecordOfSeveralShardsGoesToEach) {
  const Routing first(remote_write("hot-0", true));
  const Routing second(member_of("hot-1", "hot-1-b"));
  const Routing third(remote_write("hot-10", true));
  EXPECT_TRUE(first.takes(Signal::kMetrics, "hot-0,hot-1"));
  EXPECT_TRUE(second.takes(Signal::kMetrics, "hot-0,hot-1"));
  EXPECT_FALSE(third.takes(Signal::kMetrics, "hot-0,hot-1"));
  EXPECT_THAT(routing_doubts({remote_write("hot-0", true)},
                             **tenancy::Directory::parse(
                                 "customers: [{id: a, hot_shards: [hot-0, hot-1]}]", "test")),
              ElementsAre(HasSubstr("hot-1, which has no exporter")));
}

TEST(Routing, AnyOtherTakesAll) {
  const Routing cold(remote_write("cold", false));
  EXPECT_TRUE(cold.takes(Signal::kMetrics, "hot-1"));
  EXPECT_TRUE(cold.takes(Signal::kMetrics, "cold"));
  EXPECT_FALSE(cold.is_shard());
}

TEST(Routing, OtherKindsTakeEveryRoute) {
  const Routing otlp(exporter(false, "hot-0", {Signal::kTraces}, "hot-0"));
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
  EXPECT_THAT(routing_doubts({member_of("hot-0", "hot-0-a"), member_of("hot-0", "hot-0-b"),
                              member_of("mimir", "m-a"), member_of("mimir", "m-b")},
                             *directory()),
              IsEmpty());
}

TEST(Routing, AShardWithoutItsExporterOrUndeclaredIsDoubted) {
  EXPECT_THAT(routing_doubts({remote_write("hot-0", true)}, *directory()),
              ElementsAre(HasSubstr("mimir, which has no exporter")));
  EXPECT_THAT(
      routing_doubts({remote_write("hot-0-a", true), remote_write("mimir", true)}, *directory()),
      ElementsAre(HasSubstr("hot-0, which has no exporter")));
  EXPECT_THAT(
      routing_doubts({remote_write("hot-0", true), remote_write("mimir", false)}, *directory()),
      ElementsAre(HasSubstr("x/mimir is not one")));
}

}  // namespace
}  // namespace vigia::collector::exporters
