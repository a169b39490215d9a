#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "services/monitor/alerting/alertmanager_config.hpp"
#include "services/monitor/alerting/channel_messages.hpp"
#include "services/monitor/alerting/file_write.hpp"
#include "services/monitor/alerting/rule_file.hpp"
#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor::alerting {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const ChannelRelay kRelay{"http://127.0.0.1:8190/hooks", "internal-token"};

using Texts = std::vector<std::string>;

/// The element of a sequence whose `key` is `value`; an undefined node where there is none.
YAML::Node element(const YAML::Node& sequence, const std::string& key, const std::string& value) {
  for (const auto& one : sequence) {
    if (one[key] && one[key].as<std::string>() == value) return one;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

/// The group of a rule file in which an alert stands, and the alert.
std::pair<std::string, YAML::Node> alert_of(const YAML::Node& file, const std::string& alert) {
  for (const auto& group : file["groups"]) {
    const auto rule = element(group["rules"], "alert", alert);
    if (rule) return {group["name"].as<std::string>(), rule};
  }
  return {"", YAML::Node()};
}

/// The elements of route.routes with this single matcher.
std::vector<YAML::Node> routes_of(const YAML::Node& file, const std::string& matcher) {
  std::vector<YAML::Node> found;
  for (const auto& route : file["route"]["routes"]) {
    const auto matchers = route["matchers"];
    if (matchers && matchers.as<Texts>() == Texts{matcher}) found.push_back(route);
  }
  return found;
}

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
  const auto file = YAML::Load(render_rules({}));
  const auto group_of = [&](const std::string& alert) { return alert_of(file, alert).first; };
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
  const auto file = YAML::Load(text);
  ASSERT_EQ(file["inhibit_rules"].size(), 2U) << text;
  // Whoever forges the name has a customer_id.
  EXPECT_EQ(file["inhibit_rules"][0]["source_matchers"].as<Texts>(),
            (Texts{"alertname=\"NodeAlertsHeld\"", "customer_id=\"\""}));
  for (const auto& inhibition : file["inhibit_rules"]) {
    for (const auto& target : inhibition["target_matchers"].as<Texts>()) {
      EXPECT_EQ(target.find("CustomerNodeDown"), std::string::npos) << "its rule holds it";
    }
  }
  const auto held = routes_of(file, "alertname=\"NodeAlertsHeld\"");
  ASSERT_EQ(held.size(), 1U) << text;
  EXPECT_EQ(held[0]["receiver"].as<std::string>(), "nobody");
}

// Rules have names for those who look them up, and words for those who are woken.
TEST(AlertmanagerConfig, SubjectsCallTheStandardRulesByWords) {
  channels::ChannelRow mail{"1", *CustomerId::parse("cliente-a"), "email", "a@b.example", "", 1};
  for (const auto& rule : standard_rules({})) {
    ASSERT_FALSE(rule.title.empty() || rule.title_en.empty()) << rule.name;
    mail.language = "es";
    EXPECT_NE(subject_of(mail).find(fmt::format("eq $rule \"{}\" }}}}{}", rule.name, rule.title)),
              std::string::npos);
    mail.language = "en";
    EXPECT_NE(
        subject_of(mail).find(fmt::format("eq $rule \"{}\" }}}}{}", rule.name, rule.title_en)),
        std::string::npos);
  }
}

// What it said last stands in the rules for minutes yet.
TEST(AlertmanagerConfig, OfANodeThatIsDownNothingElseIsTold) {
  const auto file =
      YAML::Load(render_alertmanager({"http://127.0.0.1:9/hook", ""}, {}, {}, kRelay));
  const auto inhibition = file["inhibit_rules"][1];
  EXPECT_EQ(inhibition["source_matchers"].as<Texts>(), (Texts{"alertname=\"CustomerNodeDown\""}));
  EXPECT_EQ(inhibition["equal"].as<Texts>(), (Texts{"customer_id", "node_id"}));
  const auto target = inhibition["target_matchers"][0].as<std::string>();
  for (const auto& rule : standard_rules({})) {
    const bool is_of_a_node = rule.name != "CustomerNodeDown" && rule.name != "CollectorDown";
    EXPECT_EQ(target.find(rule.name) != std::string::npos, is_of_a_node) << rule.name;
  }
}

// Numbers are written as in the language around them.
TEST(Rules, SpanishSentencesHaveADecimalComma) {
  for (const auto& rule : standard_rules({})) {
    const bool has_value = rule.summary.find("$value") != std::string::npos;
    EXPECT_EQ(rule.summary.find(R"(reReplaceAll "[.]" ",")") != std::string::npos, has_value)
        << rule.name;
    EXPECT_EQ(rule.summary_en.find("reReplaceAll"), std::string::npos) << rule.name;
  }
}

// A recovery that says "is down" is worse than none.
TEST(Rules, EachOfTheStandardOnesHasWordsForItsEnd) {
  for (const auto& rule : standard_rules({})) {
    EXPECT_FALSE(rule.resolved.empty() || rule.resolved_en.empty()) << rule.name;
    EXPECT_NE(rule.resolved, rule.summary) << rule.name;
    // Of an alert that ended the value is that of its last evaluation.
    EXPECT_EQ((rule.resolved + rule.resolved_en).find("$value"), std::string::npos) << rule.name;
  }
  const auto collector = alert_of(YAML::Load(render_rules({})), "CollectorDown").second;
  EXPECT_EQ(collector["annotations"]["resolved_en"].as<std::string>(),
            "The central collector is no longer down");
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
  const auto file = YAML::Load(render_rules(settings));
  EXPECT_EQ(alert_of(file, "CustomerNodeDown").second["for"].as<std::string>(), "10s");
  const auto names = element(file["groups"], "name", "collector_names");
  EXPECT_TRUE(element(names["rules"], "record", "otelcol_exporter_sent_spans_total"));
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
  // An endless answer of a customer's host would take Alertmanager's memory.
  EXPECT_EQ(text.find("x.example"), std::string::npos) << text;
  EXPECT_EQ(text.find("s.example"), std::string::npos) << text;
  EXPECT_EQ(text.find("a@b.example"), std::string::npos) << "no mail server is configured";
  const auto file = YAML::Load(text);
  const auto own = element(file["receivers"], "name", "customer-cliente-a");
  ASSERT_TRUE(own) << text;
  const auto webhook = own["webhook_configs"][0];
  EXPECT_EQ(webhook["url"].as<std::string>(), "http://127.0.0.1:8190/hooks/cliente-a/1");
  EXPECT_EQ(webhook["max_alerts"].as<int>(), 100);
  EXPECT_EQ(webhook["http_config"]["authorization"]["credentials"].as<std::string>(),
            "internal-token");
  const auto slack = own["slack_configs"][0];
  EXPECT_EQ(slack["api_url"].as<std::string>(), "http://127.0.0.1:8190/hooks/cliente-a/3");
  EXPECT_EQ(slack["channel"].as<std::string>(), "#ops");
  // By node, all nodes of a customer times its channels would be under way at once.
  const auto route = file["route"];
  EXPECT_EQ(route["group_by"].as<Texts>(), (Texts{"alertname", "customer_id"}));
  EXPECT_EQ(route["group_interval"].as<std::string>(), "15s");
  EXPECT_EQ(routes_of(file, "customer_id=\"cliente-a\"").size(), 1U) << text;
  const auto rest = route["routes"][route["routes"].size() - 1];
  EXPECT_EQ(rest["receiver"].as<std::string>(), "provider");
  EXPECT_EQ(rest["group_interval"].as<std::string>(), "1m");
  const auto provider = element(file["receivers"], "name", "provider")["webhook_configs"][0];
  EXPECT_EQ(provider["url"].as<std::string>(), "http://127.0.0.1:9/hook");
  EXPECT_EQ(provider["max_alerts"].as<int>(), 500);
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
  const auto file = YAML::Load(text);
  EXPECT_EQ(routes_of(file, "customer_id=\"cliente-a\"").size(), 3U) << text;
  std::size_t with_mails = 0;
  std::size_t mails = 0;
  for (const auto& receiver : file["receivers"]) {
    if (!receiver["email_configs"]) continue;
    ++with_mails;
    mails += receiver["email_configs"].size();
  }
  EXPECT_EQ(with_mails, 3U);
  EXPECT_EQ(mails, 20U) << "each for itself: a dead address stops no other";
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
