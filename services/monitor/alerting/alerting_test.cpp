#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "services/monitor/alerting/alertmanager_config.hpp"
#include "services/monitor/alerting/file_write.hpp"
#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor::alerting {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const ChannelRelay kRelay{"http://127.0.0.1:8190/hooks", "internal-token"};

TEST(Rules, AreTheStandardSix) {
  const auto rules = standard_rules({});
  ASSERT_EQ(rules.size(), 6U);
  EXPECT_EQ(rules[0].name, "CustomerNodeDown");
  EXPECT_NE(rules[0].expression.find("(up{job=\"customer-agents\",waiting=\"\"}) == 0"),
            std::string::npos);
  EXPECT_EQ(rules[0].hold, minutes(2));
  EXPECT_EQ(rules[0].severity, "critical");
  EXPECT_EQ(rules[0].summary,
            "Nodo {{ $labels.node_id }} del cliente {{ $labels.customer_id }} está caído");
  EXPECT_EQ(rules[5].name, "HighMemoryUsage");
  EXPECT_NE(rules[5].expression.find("(system_memory_usage_percent) > 90"), std::string::npos);
  EXPECT_EQ(rules[5].hold, minutes(10));
}

// The file is also what an installation without vigia-monitor loads. After a wanted change, run
// this test once with VIGIA_WRITE_GOLDEN=1, which writes it anew, and look at the difference.
TEST(Rules, TheShippedFileIsWhatIsRendered) {
  if (std::getenv("VIGIA_WRITE_GOLDEN") != nullptr) {
    std::ofstream("services/monitor/prometheus/alerts/vigia.yml") << render_rules({});
  }
  const auto shipped = read_file_or_empty("services/monitor/prometheus/alerts/vigia.yml");
  EXPECT_EQ(render_rules({}), shipped);
}

// B5: a flood in one rule's data must not delay these.
TEST(Rules, NodesAndCollectorStandInGroupsOfTheirOwn) {
  const auto text = render_rules({});
  const auto group_of = [&](const std::string& alert) {
    const auto at = text.rfind("  - name: ", text.find("- alert: " + alert + "\n"));
    return text.substr(at + 10, text.find('\n', at) - at - 10);
  };
  EXPECT_EQ(group_of("CustomerNodeDown"), "node_alerts");
  EXPECT_EQ(group_of("CollectorDown"), "collector_alerts");
  for (const auto& rule : standard_rules({})) {
    if (rule.name == "CustomerNodeDown" || rule.name == "CollectorDown") continue;
    EXPECT_EQ(group_of(rule.name), rule.severity + "_alerts") << rule.name;
  }
}

// An alert that Alertmanager inhibits ends untold: it forgets the end too, and the customer's last
// word would stay "down".
TEST(AlertmanagerConfig, WhatOurOwnOutageExplainsIsInhibitedAndItsSourceGoesToNobody) {
  const auto text = render_alertmanager({"http://127.0.0.1:9/hook", ""}, {}, {}, kRelay);
  // Whoever forges the name has a customer_id.
  EXPECT_NE(text.find("source_matchers: ['alertname=\"NodeAlertsHeld\"', 'customer_id=\"\"']"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("CustomerNodeDown"), std::string::npos) << "its rule holds it";
  EXPECT_NE(text.find("- matchers: ['alertname=\"NodeAlertsHeld\"']\n      receiver: nobody\n"),
            std::string::npos);
}

// A recovery that says "is down" is worse than none.
TEST(Rules, EachOfTheStandardOnesHasWordsForItsEnd) {
  for (const auto& rule : standard_rules({})) {
    EXPECT_FALSE(rule.resolved.empty() || rule.resolved_en.empty()) << rule.name;
    EXPECT_NE(rule.resolved, rule.summary) << rule.name;
    // Of an alert that ended the value is that of its last evaluation.
    EXPECT_EQ((rule.resolved + rule.resolved_en).find("$value"), std::string::npos) << rule.name;
  }
  EXPECT_NE(render_rules({}).find("resolved_en: \"The central collector is no longer down\""),
            std::string::npos);
}

TEST(AlertmanagerConfig, MessagesSayWhoseTheyAreAndLinkToPagesThatExist) {
  channels::ChannelRow slack{
      "1", *CustomerId::parse("cliente-a"), "slack", "https://hooks.example/s", "", 1};
  slack.customer_name = "A \"& {{ <!channel>";
  channels::ChannelRow mail = slack;
  mail.type = "email";
  mail.target = "a@b.example";
  mail.language = "en";
  const MailServer server{"mail.example:25", "v@p.example", "", "", true};
  const auto text = render_alertmanager({"http://127.0.0.1:9/hook", ""}, server, {slack, mail},
                                        kRelay, "https://v.example");
  const auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  // Strings of the template language within those of YAML.
  EXPECT_TRUE(has(R"(Cliente: {{ \"A \\\"&amp; {{ &lt;!channel&gt;\" }})")) << text;
  EXPECT_TRUE(has(R"(Customer: {{ \"A \\\"& {{ <!channel>\" }})")) << text;
  EXPECT_TRUE(has("https://v.example{{ if .CommonLabels.node_id }}/nodes/cliente-a/")) << text;
  EXPECT_TRUE(has("{{ with .Annotations.resolved }}") &&
              has("{{ with .Annotations.resolved_en }}"));
  EXPECT_TRUE(has("title_link: \"https://v.example{{") && has("fallback: \"[")) << text;
  const auto unlinked = render_alertmanager({"", ""}, server, {slack, mail}, kRelay);
  EXPECT_NE(unlinked.find("title_link: \"\""), std::string::npos) << unlinked;
  EXPECT_EQ(unlinked.find("href"), std::string::npos);
}

// C52.
TEST(Rules, OnlyWhatIsPushedKeepsFiring) {
  for (const auto& rule : standard_rules({})) {
    const bool is_scraped = rule.name == "CustomerNodeDown" || rule.name == "CollectorDown";
    EXPECT_EQ(rule.keep_firing == Duration::zero(), is_scraped) << rule.name;
  }
}

TEST(Rules, AShorterWaitStandsInTheFile) {
  RuleSettings settings;
  settings.node_down_for = seconds(10);
  const auto text = render_rules(settings);
  const auto node_down = text.find("- alert: CustomerNodeDown\n");
  ASSERT_NE(node_down, std::string::npos);
  EXPECT_LT(text.find("        for: 10s\n", node_down), text.find("- alert:", node_down + 1))
      << text;
  EXPECT_NE(text.find("record: otelcol_exporter_sent_spans_total"), std::string::npos);
}

TEST(Rules, TheIntervalFollowsTheShortestWait) {
  RuleSettings settings;
  EXPECT_EQ(default_interval(settings), seconds(30));
  settings.node_down_for = seconds(10);
  EXPECT_EQ(default_interval(settings), seconds(5));
  settings.node_down_for = std::chrono::milliseconds(1);
  EXPECT_EQ(default_interval(settings), seconds(1));
}

TEST(AlertmanagerConfig, RoutesACustomersAlertsToItsChannelsAndAllToTheProvider) {
  const auto customer = *CustomerId::parse("cliente-a");
  const auto text = render_alertmanager(
      {"http://127.0.0.1:9/hook", ""}, {},
      {channels::ChannelRow{"1", customer, "webhook", "https://x.example/h\"x", "", 1},
       channels::ChannelRow{"2", customer, "email", "a@b.example", "", 1},
       channels::ChannelRow{"3", customer, "slack", "https://s.example/s", "#ops", 1}},
      kRelay);
  EXPECT_NE(text.find("customer_id=\"cliente-a\""), std::string::npos) << text;
  // An endless answer of a customer's host would take Alertmanager's memory.
  EXPECT_EQ(text.find("x.example"), std::string::npos) << text;
  EXPECT_EQ(text.find("s.example"), std::string::npos) << text;
  constexpr std::string_view kUrl = "url: \"http://127.0.0.1:8190/hooks/cliente-a/";
  for (const std::string part : {"1\", send_resolved: true", "3\"\n        channel: \"#ops\""}) {
    EXPECT_NE(text.find(std::string(kUrl) + part), std::string::npos) << text;
  }
  EXPECT_NE(text.find("authorization: {credentials: \"internal-token\"}"), std::string::npos);
  // By node, all nodes of a customer times its channels would be under way at once.
  EXPECT_EQ(text.find("node_id]"), std::string::npos) << text;
  EXPECT_NE(text.find("  group_by: [alertname, customer_id]\n  group_wait: 5s\n"
                      "  group_interval: 15s\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("    - receiver: provider\n      group_interval: 1m\n"), std::string::npos);
  EXPECT_NE(text.find("max_alerts: 100, "), std::string::npos) << text;
  EXPECT_NE(text.find("hook\", send_resolved: true, max_alerts: 500}"), std::string::npos) << text;
  EXPECT_EQ(text.find("a@b.example"), std::string::npos) << "no mail server is configured";
  EXPECT_NE(text.find("url: \"http://127.0.0.1:9/hook\""), std::string::npos);
}

// Each receiver is a group of each alert name, which Alertmanager sorts at each flush.
TEST(AlertmanagerConfig, MailsOfACustomerWithManyNodesShareFewReceivers) {
  const auto customer = *CustomerId::parse("cliente-a");
  std::vector<channels::ChannelRow> channels;
  for (int i = 0; i < 20; ++i) {
    channels.push_back({std::to_string(i), customer, "email", "ops@a.example", "", 1});
    channels.back().customer_nodes = 5'000;
  }
  const MailServer server{"mail.example:25", "v@p.example", "", "", true};
  const auto text = render_alertmanager({"", ""}, server, channels, kRelay);
  const auto count = [&](std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("- matchers: ['customer_id=\"cliente-a\"']"), 3U) << text;
  EXPECT_EQ(count("email_configs:"), 3U);
  EXPECT_EQ(count("      - to: "), 20U) << "each for itself: a dead address stops no other";
}

// All that can stand in the file, with texts that want quoting. After a wanted change, run this
// test once with VIGIA_WRITE_GOLDEN=1, and look at the difference.
TEST(AlertmanagerConfig, TheGoldenIsWhatIsRendered) {
  const auto a = *CustomerId::parse("cliente-a");
  const auto b = *CustomerId::parse("b");
  std::vector<channels::ChannelRow> channels = {
      {"1", a, "webhook", "https://x.example/h", "", 1},
      {"2", a, "email", "ops+'a@b.example", "", 1},
      {"3", a, "slack", "https://s.example/s", "#ops: all", 1},
      {"4", b, "email", "b@ejemplo.españa", "", 1},
  };
  for (auto& channel : channels) channel.customer_name = "A \"& {{ <!channel> \\ ñ\n: #";
  channels[2].language = "en";
  channels[3].language = "en";
  const MailServer server{"mail.example:25", "Vigía <v@p.example>", "user: x", "\"p\\w #", false};
  const ProviderReceivers provider{"http://127.0.0.1:9/hook", "https://watch.example/x?y=z"};
  const auto text = render_alertmanager(provider, server, channels, kRelay, "https://v.example");
  const char* const golden = "tests/golden/monitor/alertmanager.yml";
  if (std::getenv("VIGIA_WRITE_GOLDEN") != nullptr) std::ofstream(golden) << text;
  EXPECT_EQ(text, read_file_or_empty(golden));
}

}  // namespace
}  // namespace vigia::monitor::alerting
