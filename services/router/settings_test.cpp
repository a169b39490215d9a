#include "services/router/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router {
namespace {

using ::testing::HasSubstr;

Result<Settings> read(std::string_view text) {
  auto file = service::ConfigFile::parse(text, "router.yaml");
  if (!file) return forward(file);
  return read_settings(*file);
}

constexpr std::string_view kFull = R"(
listen: 127.0.0.1:9095
directory: {file: /dev/null}
hot: {shards: [{name: hot-0, url: "http://127.0.0.1:9090/"}, {name: hot-1, url: "https://h"}]}
query: {url: "http://127.0.0.1:9091"}
cold: {url: "http://127.0.0.1:9096", token: "t"}
edge: 15d
)";

TEST(Settings, ReadsTheKeysOfTheDesign) {
  const auto settings = read(kFull);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  ASSERT_EQ(settings->stores.hot_shards.size(), 2U);
  EXPECT_EQ(settings->stores.hot_shards[0].url, "http://127.0.0.1:9090");
  EXPECT_EQ(settings->stores.query_url, "http://127.0.0.1:9091");
  EXPECT_EQ(settings->stores.cold_token, "t");
  EXPECT_EQ(settings->stores.coverage.edge, std::chrono::days(15));
  EXPECT_EQ(settings->directory.file, "/dev/null");
}

TEST(Settings, TheSmallestConfigurationNeedsDirectoryAndHot) {
  const auto settings =
      read("directory: {file: /dev/null}\nhot: {shards: [{name: hot-0, url: \"http://h:1\"}]}\n");
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->stores.query_url, "");
  EXPECT_EQ(settings->stores.coverage.edge, std::chrono::days(30));
  EXPECT_EQ(settings->stores.lanes.usual.at_once_max, 20U);
  EXPECT_EQ(settings->stores.lanes.usual.per_customer_max, 8U);
  EXPECT_EQ(settings->stores.lanes.unknown_at_once_max, 4U);
  EXPECT_EQ(settings->stores.lanes.heavy_at_once_max, 2U);
}

TEST(Settings, AShardIsOnePrometheusOrAPair) {
  const auto shards = [](const std::string& list) {
    const auto settings = read("directory: {file: /dev/null}\nhot: {shards: [" + list + "]}\n");
    EXPECT_TRUE(settings.has_value()) << settings.error().message;
    return settings->stores.hot_shards;
  };
  const auto pair = shards("{name: hot-0, urls: [\"http://a:1/\", \"http://b:1\"]}");
  ASSERT_EQ(pair.size(), 1U);
  EXPECT_EQ(pair[0].urls(), (std::vector<std::string>{"http://a:1", "http://b:1"}));
  EXPECT_EQ(pair[0].member_name(0), "hot-0-a");
  EXPECT_EQ(pair[0].member_name(1), "hot-0-b");
  const auto one = shards("{name: hot-0, urls: [\"http://a:1\"]}");
  EXPECT_EQ(one[0].urls(), std::vector<std::string>{"http://a:1"});
  EXPECT_EQ(one[0].member_name(0), "hot-0");
  EXPECT_EQ(shards("{name: hot-1, urls: [\"http://a:1\", \"http://b:1\"]}, {name: hot-1-c, url: "
                   "\"http://c:1\"}")
                .size(),
            2U);
}

TEST(Settings, WhichColdStoreIsKnownLiesBesideTheCachedDirectory) {
  const std::string shards = "hot: {shards: [{name: hot-0, url: \"http://h:1\"}]}\n";
  EXPECT_EQ(read("directory: {file: /dev/null}\n" + shards)->stores.cold_known_file, "");
  const std::string cached = "directory: {url: \"http://m\", token: t, cache_file: /d/c.json}\n";
  EXPECT_EQ(read(cached + shards)->stores.cold_known_file, "/d/c.json.cold-store");
  EXPECT_EQ(read(cached + shards + "cold: {known_file: /k}\n")->stores.cold_known_file, "/k");
}

TEST(Settings, TheColdStoreMayBeReachedByMutualTls) {
  const std::string hot =
      "directory: {file: /dev/null}\nhot: {shards: [{name: hot-0, url: \"http://h:1\"}]}\n";
  const std::string tls =
      "tls: {ca_file: /proc/self/maps, cert_file: /proc/self/maps, key_file: /proc/self/stat}}\n";
  const auto settings = read(hot + "cold: {url: \"https://c:1\", " + tls);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->stores.cold_tls->key_file, "/proc/self/stat");
  EXPECT_FALSE(read(hot + "cold: {url: \"http://c:1\", " + tls).has_value());
}

TEST(Settings, WhatIsSlowIsSaid) {
  EXPECT_EQ(read(kFull)->slow_query, std::chrono::seconds(5));
  EXPECT_EQ(read(std::string(kFull) + "slow_query: 0\n")->slow_query, Duration::zero());
  EXPECT_EQ(read(std::string(kFull) + "slow_query: 250ms\n")->slow_query,
            std::chrono::milliseconds(250));
}

TEST(Settings, WhatOneQueryMayTakeIsSaidOfWhoeverHasNoLimits) {
  const auto usual = read(kFull)->query_limits;
  EXPECT_EQ(usual.samples, 5'000'000U);
  EXPECT_EQ(usual.log_time, std::chrono::seconds(60));
  EXPECT_EQ(usual.range, Duration::zero());
  const auto settings = read(std::string(kFull) + R"(
query_limits: {range: 31d, steps: 2, series: 3, samples: 0, bytes: 5MiB, time: 6s, log_time: 7s,
               log_lines: 8, log_bytes: 9KiB, log_work: 10s}
)");
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  const access::QueryLimits& limits = settings->query_limits;
  EXPECT_EQ(limits.range, std::chrono::days(31));
  EXPECT_EQ(limits.steps, 2U);
  EXPECT_EQ(limits.series, 3U);
  EXPECT_EQ(limits.samples, 0U);
  EXPECT_EQ(limits.bytes, 5U << 20U);
  EXPECT_EQ(limits.time, std::chrono::seconds(6));
  EXPECT_EQ(limits.log_time, std::chrono::seconds(7));
  EXPECT_EQ(limits.log_lines, 8U);
  EXPECT_EQ(limits.log_bytes, 9U << 10U);
  EXPECT_EQ(limits.log_work, std::chrono::seconds(10));
}

TEST(Settings, FaultsAreNamedWithTheirLine) {
  const auto pair_of = [](const std::string& urls) {
    return "directory: {file: /dev/null}\nhot: {shards: [{name: hot-0, urls: " + urls + "}]}\n";
  };
  const std::vector<std::pair<std::string, std::string>> faults{
      {"directory: {file: /dev/null}\n", "at least one hot shard"},
      {"directory: {file: /nope/c.yaml}\n", "directory.file: /nope/c.yaml cannot be opened"},
      {"directory: {file: /dev/null}\nhot: {shards: [{name: a, url: \"h:1\"}]}\n", ":2: "},
      {"directory: {file: /dev/null}\nhot: {shards: [{name: a, url: \"http://h\"}, {name: a, url: "
       "\"http://h\"}]}\n",
       "stands there twice"},
      {pair_of("[]"), "urls: must be the address of one Prometheus, or the two of a pair"},
      {pair_of("[\"http://a\", \"http://b\", \"http://c\"]"), "or the two of a pair"},
      {pair_of("[\"http://a\", \"http://a/\"]"), "the same address stands there twice"},
      {pair_of("[\"http://a\"], url: \"http://b\""), "url: is given beside urls"},
      {pair_of("[\"http://a\", \"http://b\"]}, {name: hot-0-b, url: \"http://c\""),
       "hot-0-b is the name of a member of another shard, too"},
      {std::string(kFull) + "colour: red\n", "colour"},
      {std::string(kFull) + "at_store: {at_once_max: 2, per_customer_max: 3}\n",
       "per_customer_max"},
      {std::string(kFull) + "query_limits: {time: 1500ms}\n", "query_limits.time: must be whole"},
      {std::string(kFull) + "heartbeat: {poll: 1ms}\n", "heartbeat.poll"}};
  for (const auto& [text, wanted] : faults) {
    const auto settings = read(text);
    ASSERT_FALSE(settings.has_value()) << text;
    EXPECT_THAT(settings.error().message, HasSubstr(wanted));
    EXPECT_THAT(settings.error().message, HasSubstr("router.yaml:"));
  }
}

}  // namespace
}  // namespace vigia::router
