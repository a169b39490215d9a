#include "services/monitor/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::monitor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<Settings> read(std::string_view text) {
  auto file = service::ConfigFile::parse(text, "monitor.yaml");
  if (!file) return forward(file);
  return read_settings(*file);
}

// What every installation has to say, without its end.
constexpr std::string_view kSmallest = R"(database: sqlite:///m.db
internal_token: 0123456789abcdef
router: {url: "http://r:9095"}
prometheus: [{name: hot-0, url: "http://h:9090"}]
)";

std::string with(std::string_view more) { return std::string(kSmallest) + std::string(more); }

/// The smallest configuration with that line in the place of its own.
std::string instead(std::string_view key, std::string_view line) {
  std::string text(kSmallest);
  const auto at = text.find(key);
  text.replace(at, text.find('\n', at) - at, line);
  return text;
}

void expect_fault(const std::string& text, const std::string& part) {
  const auto settings = read(text);
  ASSERT_FALSE(settings.has_value()) << text;
  EXPECT_EQ(settings.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(settings.error().message, HasSubstr(part)) << text;
}

TEST(MonitorSettings, TheSmallestConfigurationHasTheThresholdsOfTheRequirements) {
  const auto settings = read(kSmallest);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->door.listen, "127.0.0.1:8090");
  EXPECT_EQ(settings->internal_port.listen, "127.0.0.1:8190");
  EXPECT_EQ(settings->alerting.rules.node_down_for, std::chrono::minutes(2));
  EXPECT_EQ(settings->alerting.rules.collector_down_for, std::chrono::minutes(1));
  EXPECT_EQ(settings->alerting.rules.buffer_saturated_for, std::chrono::minutes(5));
  EXPECT_EQ(settings->alerting.rules.collector_unreachable_for, std::chrono::minutes(5));
  EXPECT_EQ(settings->alerting.rules.high_cpu_for, std::chrono::minutes(10));
  EXPECT_EQ(settings->alerting.rules.high_memory_for, std::chrono::minutes(10));
  EXPECT_EQ(settings->alerting.rules.interval, std::chrono::seconds(30));
  EXPECT_THAT(settings->first_operator.user, IsEmpty());
  EXPECT_THAT(settings->alerting.alertmanager.url, IsEmpty());
  EXPECT_FALSE(settings->channels.addresses.allow_private);
  EXPECT_FALSE(settings->nodes.addresses.allow_loopback);
}

TEST(MonitorSettings, EveryShardIsRead) {
  const auto settings = read(instead("prometheus:",
                                     "prometheus: [{name: hot-0, url: \"http://h:9090/\", "
                                     "rules_directory: /r}, {name: hot-1, url: "
                                     "\"https://i\"}]"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  ASSERT_EQ(settings->alerting.shards.size(), 2U);
  EXPECT_EQ(settings->alerting.shards[0].url, "http://h:9090");
  EXPECT_EQ(settings->alerting.shards[0].rules_directory, "/r");
  EXPECT_EQ(settings->alerting.shards[1].name, "hot-1");
}

TEST(MonitorSettings, TheMembersOfAPairHaveOneName) {
  const auto settings = read(instead("prometheus:",
                                     "prometheus: [{name: a, url: \"http://h:1\"}, {name: b, url: "
                                     "\"http://h:2\"}, {name: a, url: \"http://h:3\"}]"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->alerting.shards.size(), 3U);
  EXPECT_THAT(settings->alerting.shard_names(), ::testing::ElementsAre("a", "b"));
}

TEST(MonitorSettings, WhatIsNeededIsNamedWhereItIsMissing) {
  expect_fault(instead("database:", ""), "database");
  expect_fault(instead("internal_token:", ""), "internal_token");
  expect_fault(instead("router:", ""), "router.url");
  expect_fault(instead("prometheus:", ""), "at least one shard is needed");
}

TEST(MonitorSettings, FaultsAreNamedWithTheirLine) {
  const std::vector<std::pair<std::string, std::string>> faults{
      {instead("database:", "database: mysql://h/d"), "monitor.yaml:1: database"},
      {instead("database:", "database: postgresql://u@h/d"), "state_directory"},
      {instead("internal_token:", "internal_token: short"), "monitor.yaml:2: internal_token"},
      {instead("prometheus:",
               "prometheus: [{name: a, url: \"http://h:1\"}, {name: a, url: \"http://h:2\", "
               "rules_directory: /r}, {name: b, url: \"http://h:3\", rules_directory: /r}]"),
       "another Prometheus has its rules there"},
      {instead("prometheus:",
               "prometheus: [{name: a, url: \"http://h:1\"}, {name: a, url: \"http://h:1\"}]"),
       "stands there twice"},
      {with("internal_url: \"https://m:8190\"\n"), "http://HOST:PORT"},
      {with("internal_url: \"http://m\"\n"), "http://HOST:PORT"},
      {with("internal_url: \"http://m:1/path\"\n"), "http://HOST:PORT"},
      {with("alerting: {node_down_for: 0s}\n"), "from 1ms to 7d"},
      {with("alerting: {node_down_for: 8d}\n"), "from 1ms to 7d"},
      {with("alerting: {webhook: \"not a url\"}\n"), "alerting.webhook"},
      {with("alerting: {dead_mans_switch: \"ftp://h\"}\n"), "alerting.dead_mans_switch"},
      {with("alerting: {mail: {smarthost: \"m:25\"}}\n"), "from is needed"},
      {with("backups: {keep: 0}\n"), "backups.keep"},
      {with("session: {idle: 0s}\n"), "session.idle"},
      {with("trusted_proxies: [nonsense]\n"), "trusted_proxies"},
      {with("listen: nowhere\n"), "listen"},
      {with("nodes: {allow_loopbck: true}\n"), "allow_loopbck"},
      {with("alertmanger: {url: \"http://a\"}\n"), "alertmanger"}};
  for (const auto& [text, part] : faults) expect_fault(text, part);
}

// A weak one in the file would become an operator's where the database is made anew.
TEST(MonitorSettings, TheFirstOperatorsPasswordIsJudged) {
  const auto bootstrap = [](std::string_view user, std::string_view password) {
    return with("bootstrap: {operator: {user: " + std::string(user) + ", password: \"" +
                std::string(password) + "\"}}\n");
  };
  for (const char* password : {"", "short", "password1234", "aaaaaaaaaaaaaaaa", "my-admin-2025-x"})
    expect_fault(bootstrap("admin", password), "bootstrap.operator.password");
  const auto settings = read(bootstrap("admin", "cobre-lagarto-ventana-71"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->first_operator.user, "admin");
}

TEST(MonitorSettings, ShortTimesMakeRulesBeEvaluatedMoreOften) {
  const auto settings = read(with("alerting: {node_down_for: 10s}\n"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->alerting.rules.interval, std::chrono::seconds(5));
  const auto chosen = read(with("alerting: {node_down_for: 10s, interval: 2s}\n"));
  EXPECT_EQ(chosen->alerting.rules.interval, std::chrono::seconds(2));
}

TEST(MonitorSettings, NoSilenceIsToldBeforeThreeEvaluations) {
  const auto usual = read(kSmallest);
  EXPECT_EQ(usual->alerting.alertmanager.silence_max, std::chrono::minutes(3));
  const auto slow = read(with("alerting: {interval: 5m}\n"));
  ASSERT_TRUE(slow.has_value()) << slow.error().message;
  EXPECT_EQ(slow->alerting.alertmanager.silence_max, std::chrono::minutes(15));
}

// Else a browser would not send it back over plain HTTP, and a demo could not log in.
TEST(MonitorSettings, ACookieIsSecureWhereBrowsersSpeakTls) {
  EXPECT_FALSE(read(kSmallest)->session.is_secure);
  EXPECT_FALSE(read(with("public: {url: \"http://v.example\"}\n"))->session.is_secure);
  EXPECT_TRUE(read(with("public: {url: \"https://v.example\"}\n"))->session.is_secure);
}

TEST(MonitorSettings, TheHelpNamesEveryKeyAtTheTop) {
  const std::string help = settings_help();
  for (const char* key :
       {"internal_listen:", "internal_url:", "database:", "state_directory:", "backups:",
        "internal_token:", "router:", "prometheus:", "alertmanager:", "alerting:", "bootstrap:",
        "session:", "portal:", "nodes:", "public:", "tls:", "trusted_proxies:"}) {
    EXPECT_THAT(help, HasSubstr(std::string("\n") + key)) << key;
  }
}

}  // namespace
}  // namespace vigia::monitor
