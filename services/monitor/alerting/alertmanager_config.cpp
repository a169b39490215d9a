#include "services/monitor/alerting/alertmanager_config.hpp"

#include <map>
#include <string_view>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/json_text.hpp"
#include "services/monitor/alerting/channel_check.hpp"
#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor {
namespace {

// A target is checked when it is set; where it redirects to later is not.
constexpr std::string_view kNoRedirects = "http_config: {follow_redirects: false}";

/// What a person reads, in the customer's language. Alertmanager's templates fill in the rest.
struct Words {
  std::string_view summary;  ///< the annotation that is in this language
  std::string_view firing;
  std::string_view resolved;
  std::string_view since;
  std::string_view until;
};
constexpr Words kSpanish{"summary", "ACTIVA", "RESUELTA", "desde", "hasta"};
constexpr Words kEnglish{"summary_en", "FIRING", "RESOLVED", "since", "until"};

const Words& words_of(const Channel& channel) {
  return channel.language == "en" ? kEnglish : kSpanish;
}

std::string subject_of(const Words& words) {
  return fmt::format(
      "[{{{{ if eq .Status \"firing\" }}}}{}{{{{ else }}}}{}{{{{ end }}}}] "
      "{{{{ .CommonLabels.alertname }}}}{{{{ with .CommonLabels.node_id }}}} · {{{{ . }}}}{{{{ end "
      "}}}}",
      words.firing, words.resolved);
}

// One line an alert; its own state, since a message may have both kinds.
std::string body_of(const Words& words, std::string_view between) {
  constexpr std::string_view kTime = "UTC.Format \"2006-01-02 15:04:05\"";
  return fmt::format(
      "{{{{ range $i, $alert := .Alerts }}}}{{{{ if $i }}}}{}{{{{ end }}}}"
      "{{{{ if eq .Status \"firing\" }}}}{}{{{{ else }}}}{}{{{{ end }}}}: "
      "{{{{ with .Annotations.{} }}}}{{{{ . }}}}{{{{ else }}}}{{{{ .Annotations.summary }}}}"
      "{{{{ end }}}} ({} {{{{ .StartsAt.{} }}}}"
      "{{{{ if ne .Status \"firing\" }}}} {} {{{{ .EndsAt.{} }}}}{{{{ end }}}} UTC){{{{ end }}}}",
      between, words.firing, words.resolved, words.summary, words.since, kTime, words.until, kTime);
}

std::string render_receivers(const std::string& name, const std::vector<Channel>& channels) {
  auto text = fmt::format("  - name: {}\n", json_text(name));
  const auto section = [&](std::string_view type, std::string_view key, auto write) {
    bool is_first = true;
    for (const auto& channel : channels) {
      if (channel.type != type) continue;
      if (is_first) text += fmt::format("    {}:\n", key);
      is_first = false;
      text += write(channel);
    }
  };
  section("webhook", "webhook_configs", [](const Channel& channel) {
    return fmt::format("      - {{url: {}, send_resolved: true, max_alerts: 100, {}}}\n",
                       json_text(channel.target), kNoRedirects);
  });
  section("email", "email_configs", [](const Channel& channel) {
    const auto address = wire_mail_address(channel.target);
    CHECK(address.has_value());
    return fmt::format(
        "      - to: {}\n"
        "        send_resolved: true\n"
        "        headers: {{Subject: {}}}\n"
        "        html: {}\n"
        "        text: {}\n",
        json_text(*address), json_text(subject_of(words_of(channel))),
        json_text("<p>" + body_of(words_of(channel), "</p><p>") + "</p>"),
        json_text(body_of(words_of(channel), "\n")));
  });
  section("slack", "slack_configs", [](const Channel& channel) {
    return fmt::format(
        "      - api_url: {}\n{}"
        "        send_resolved: true\n"
        "        {}\n"
        "        title: {}\n"
        "        text: {}\n",
        json_text(channel.target),
        channel.channel.empty() ? std::string()
                                : fmt::format("        channel: {}\n", json_text(channel.channel)),
        kNoRedirects, json_text(subject_of(words_of(channel))),
        json_text(body_of(words_of(channel), "\n")));
  });
  return text;
}

// While our own parts are away, what looks like an absence is explained by it: nobody is told, and
// what is still true afterwards is told then. Scraped nodes are seen without them.
std::string render_inhibitions() {
  std::string text = "inhibit_rules:\n";
  for (const std::string_view targets :
       {"'alertname=\"CustomerNodeDown\"', 'reach=\"push\"'",
        "'alertname=~\"AgentCollectorUnreachable|AgentBufferSaturated\"'"}) {
    text += fmt::format(
        "  - source_matchers: ['alertname=\"{}\"', 'customer_id=\"\"']\n"
        "    target_matchers: [{}]\n",
        kNodeAlertsHeld, targets);
  }
  return text;
}

// Told once a minute and never as resolved: whoever hears nothing more knows that something between
// rules and notifications ended.
std::string render_watchdog_route(const ProviderReceivers& provider) {
  if (provider.dead_mans_switch.empty()) {
    return fmt::format("    - matchers: ['alertname=\"{}\"']\n      receiver: nobody\n", kWatchdog);
  }
  return fmt::format(
      "    - matchers: ['alertname=\"{}\"', 'customer_id=\"\"']\n"
      "      receiver: dead-mans-switch\n"
      "      group_by: [shard]\n"
      "      group_wait: 1s\n"
      "      group_interval: 1m\n"
      "      repeat_interval: 50s\n",
      kWatchdog);
}

std::string render_global(const MailServer& mail) {
  if (mail.smarthost.empty()) return {};
  auto text = fmt::format(
      "global:\n"
      "  smtp_smarthost: {}\n"
      "  smtp_from: {}\n"
      "  smtp_require_tls: {}\n",
      json_text(mail.smarthost), json_text(mail.from), mail.require_tls);
  if (!mail.user.empty()) {
    text += fmt::format("  smtp_auth_username: {}\n  smtp_auth_password: {}\n",
                        json_text(mail.user), json_text(mail.password));
  }
  return text;
}

}  // namespace

std::string render_alertmanager(const ProviderReceivers& provider, const MailServer& mail,
                                const std::vector<Channel>& channels) {
  std::map<CustomerId, std::vector<Channel>> by_customer;
  for (const auto& channel : channels) {
    if (channel.type != "email" || !mail.smarthost.empty()) {
      by_customer[channel.customer].push_back(channel);
    }
  }
  std::string text = "# Written by vigia-monitor; changes here are lost.\n" + render_global(mail) +
                     "route:\n"
                     "  receiver: provider\n"
                     "  group_by: [alertname, customer_id, node_id]\n"
                     "  group_wait: 5s\n"
                     "  group_interval: 1m\n"
                     "  repeat_interval: 4h\n"
                     "  routes:\n" +
                     fmt::format("    - matchers: ['alertname=\"{}\"']\n      receiver: nobody\n",
                                 kNodeAlertsHeld) +
                     render_watchdog_route(provider);
  std::string receivers = "receivers:\n";
  for (const auto& [customer, own] : by_customer) {
    const auto name = "customer-" + customer.text();
    text += fmt::format(
        "    - matchers: ['customer_id=\"{}\"']\n"
        "      receiver: {}\n"
        "      continue: true\n",
        customer.text(), json_text(name));
    receivers += render_receivers(name, own);
  }
  // One message a minute at most for what happens to one customer, however many nodes it has.
  text += "    - receiver: provider\n      group_by: [alertname, customer_id]\n";
  receivers += "  - name: nobody\n";
  receivers += "  - name: provider\n";
  if (!provider.webhook.empty()) {
    receivers += fmt::format("    webhook_configs:\n      - {{url: {}, send_resolved: true}}\n",
                             json_text(provider.webhook));
  }
  if (!provider.dead_mans_switch.empty()) {
    receivers += fmt::format(
        "  - name: dead-mans-switch\n"
        "    webhook_configs:\n      - {{url: {}, send_resolved: false}}\n",
        json_text(provider.dead_mans_switch));
  }
  return text + render_inhibitions() + receivers;
}

}  // namespace vigia::monitor
