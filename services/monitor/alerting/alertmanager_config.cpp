#include "services/monitor/alerting/alertmanager_config.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/json_text.hpp"
#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/alerting/mail_receivers.hpp"
#include "services/monitor/alerting/rules.hpp"
#include "services/monitor/channels/channel_check.hpp"

namespace vigia::monitor::alerting {
namespace {

std::string relay_url(const channels::ChannelRow& channel, const ChannelRelay& relay) {
  return json_text(fmt::format("{}/{}/{}", relay.url, channel.customer.text(), channel.id));
}

std::string relay_access(const ChannelRelay& relay) {
  return fmt::format("http_config: {{follow_redirects: false, authorization: {{credentials: {}}}}}",
                     json_text(relay.token));
}

/// What a person reads, in the customer's language. Alertmanager's templates fill in the rest.
struct Words {
  std::string_view summary;   ///< the annotation that is in this language
  std::string_view recovery;  ///< likewise, once it is over
  std::string_view firing;
  std::string_view resolved;
  std::string_view since;
  std::string_view until;
  std::string_view customer;
  std::string_view node;
  std::string_view and_others;  ///< before and after how many are not listed
  std::string_view more;
};
constexpr Words kSpanish{"summary", "resolved", "ACTIVA", "RESUELTA", "desde",
                         "hasta",   "Cliente",  "nodo",   "y",        "más"};
constexpr Words kEnglish{"summary_en", "resolved_en", "FIRING", "RESOLVED", "since",
                         "until",      "Customer",    "node",   "and",      "more"};

const Words& words_of(const channels::ChannelRow& channel) {
  return channel.language == "en" ? kEnglish : kSpanish;
}

// Alertmanager's template of one alert: `firing` or `resolved`, as its own state is.
std::string by_state(std::string_view firing, std::string_view resolved) {
  return fmt::format("{{{{ if eq .Status \"firing\" }}}}{}{{{{ else }}}}{}{{{{ end }}}}", firing,
                     resolved);
}

std::string annotation_or(std::string_view name, std::string_view otherwise) {
  return fmt::format("{{{{ with .Annotations.{} }}}}{{{{ . }}}}{{{{ else }}}}{}{{{{ end }}}}", name,
                     otherwise);
}

// Local to where Alertmanager runs, with how far that is from UTC: no zone's short name is unique.
std::string local_time(std::string_view field) {
  return fmt::format("{{{{ .{}.Local.Format \"2006-01-02 15:04:05 UTC-07:00\" }}}}", field);
}

// Of one alert its state, of several how many there are of each.
std::string subject_of(const Words& words) {
  return "[{{ $firing := len .Alerts.Firing }}{{ $resolved := len .Alerts.Resolved }}"
         "{{ if eq (len .Alerts) 1 }}" +
         by_state(words.firing, words.resolved) +
         fmt::format(
             "{{{{ else }}}}{{{{ with $firing }}}}{}: {{{{ . }}}}{{{{ end }}}}"
             "{{{{ if and $firing $resolved }}}}, {{{{ end }}}}"
             "{{{{ with $resolved }}}}{}: {{{{ . }}}}{{{{ end }}}}{{{{ end }}}}",
             words.firing, words.resolved) +
         "] {{ .CommonLabels.alertname }}{{ with .CommonLabels.node_id }} · {{ . }}{{ end }}";
}

// Of `which` (a template's variable) the first kAlertsListedMax a line each, and how many more
// there are: a customer's nodes may go down all at once.
std::string list_of(std::string_view which, const std::string& line, std::string_view state,
                    const Words& words, std::string_view between) {
  return fmt::format(
             "{{{{ range $i, $alert := {0} }}}}{{{{ if lt $i {1} }}}}"
             "{{{{ if $i }}}}{2}{{{{ end }}}}",
             which, kAlertsListedMax, between) +
         line +
         fmt::format(
             "{{{{ end }}}}{{{{ end }}}}{{{{ if gt (len {0}) {1} }}}}{2}{3}: {4} "
             "{{{{ len (slice {0} {1}) }}}} {5}{{{{ end }}}}",
             which, kAlertsListedMax, between, state, words.and_others, words.more);
}

// Alertmanager brings a group as a whole: those that stand, and those that have just ended.
std::string body_of(const Words& words, std::string_view between) {
  const auto summary = annotation_or(words.summary, "{{ .Annotations.summary }}");
  const auto since = fmt::format(" ({} {}", words.since, local_time("StartsAt"));
  const auto until = fmt::format(" {} {}", words.until, local_time("EndsAt"));
  const auto firing = fmt::format("{}: {}{})", words.firing, summary, since);
  const auto resolved = fmt::format("{}: {}{}{})", words.resolved,
                                    annotation_or(words.recovery, summary), since, until);
  return "{{ $firing := .Alerts.Firing }}{{ $resolved := .Alerts.Resolved }}" +
         list_of("$firing", firing, words.firing, words, between) +
         fmt::format("{{{{ if and $firing $resolved }}}}{}{{{{ end }}}}", between) +
         list_of("$resolved", resolved, words.resolved, words, between);
}

// The name is text whatever stands in it: a string of the template language.
std::string whose(const Words& words, const std::string& name) {
  return fmt::format("{}: {{{{ {} }}}}", words.customer, json_text(name)) +
         fmt::format("{{{{ with .CommonLabels.node_id }}}} · {}: {{{{ . }}}}{{{{ end }}}}",
                     words.node);
}

// The portal's page of the node, or that of the alerts; "" where its address is not known.
std::string page_of(const channels::ChannelRow& channel, std::string_view portal) {
  if (portal.empty()) return {};
  return fmt::format(
      "{0}{{{{ if .CommonLabels.node_id }}}}/nodes/{1}/{{{{ .CommonLabels.node_id | urlquery }}}}"
      "{{{{ else }}}}/alerts{{{{ end }}}}",
      portal, channel.customer.text());
}

std::string plain_body(const channels::ChannelRow& channel, const std::string& name,
                       std::string_view portal) {
  const auto& words = words_of(channel);
  const auto page = page_of(channel, portal);
  return body_of(words, "\n") + "\n" + whose(words, name) + (page.empty() ? "" : "\n" + page);
}

std::string html_body(const channels::ChannelRow& channel, std::string_view portal) {
  const auto& words = words_of(channel);
  const auto page = page_of(channel, portal);
  return "<p>" + body_of(words, "</p><p>") + "</p><p>" + whose(words, channel.customer_name) +
         "</p>" + (page.empty() ? "" : fmt::format("<p><a href=\"{0}\">{0}</a></p>", page));
}

// A name must not become one of Slack's own marks, such as one that calls everybody.
std::string escape_for_slack(const std::string& name) {
  std::string out;
  for (const char letter : name) {
    if (letter == '&') {
      out += "&amp;";
    } else if (letter == '<') {
      out += "&lt;";
    } else if (letter == '>') {
      out += "&gt;";
    } else {
      out += letter;
    }
  }
  return out;
}

std::string render_email(const channels::ChannelRow& channel, std::string_view portal) {
  const auto address = channels::wire_mail_address(channel.target);
  CHECK(address.has_value());
  return fmt::format(
      "      - to: {}\n"
      "        send_resolved: true\n"
      "        headers: {{Subject: {}}}\n"
      "        html: {}\n"
      "        text: {}\n",
      json_text(*address), json_text(subject_of(words_of(channel))),
      json_text(html_body(channel, portal)),
      json_text(plain_body(channel, channel.customer_name, portal)));
}

// title_link and fallback: Alertmanager's own name a page that the portal does not have.
std::string render_slack(const channels::ChannelRow& channel, const ChannelRelay& relay,
                         std::string_view portal) {
  const auto subject = json_text(subject_of(words_of(channel)));
  return fmt::format(
      "      - api_url: {}\n{}"
      "        send_resolved: true\n"
      "        {}\n"
      "        title: {}\n"
      "        title_link: {}\n"
      "        fallback: {}\n"
      "        text: {}\n",
      relay_url(channel, relay),
      channel.channel.empty() ? std::string()
                              : fmt::format("        channel: {}\n", json_text(channel.channel)),
      relay_access(relay), subject, json_text(page_of(channel, portal)), subject,
      json_text(plain_body(channel, escape_for_slack(channel.customer_name), portal)));
}

std::string render_receivers(const std::string& name,
                             const std::vector<channels::ChannelRow>& channels,
                             const ChannelRelay& relay, std::string_view portal) {
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
  section("webhook", "webhook_configs", [&](const channels::ChannelRow& channel) {
    return fmt::format("      - {{url: {}, send_resolved: true, max_alerts: {}, {}}}\n",
                       relay_url(channel, relay), kAlertsOfMessageMax, relay_access(relay));
  });
  section("slack", "slack_configs", [&](const channels::ChannelRow& channel) {
    return render_slack(channel, relay, portal);
  });
  return text;
}

// Alertmanager counts by receiver, so it is known how each fares (mail_outcomes.hpp). Apart from
// webhooks: a mail server that hangs holds up what is told beside it.
std::string render_mail_receiver(const MailReceiver& receiver, std::string_view portal) {
  auto text = fmt::format("  - name: {}\n    email_configs:\n", json_text(receiver.name));
  for (const auto& channel : receiver.told) text += render_email(channel, portal);
  return text;
}

// While our own parts are away they explain what an agent says of its way to us: nobody is told.
// An alert that is inhibited ends untold, so CustomerNodeDown is held in its rule instead
// (rules.cpp). These began with the outage as a rule, and end with it.
std::string render_inhibitions() {
  return fmt::format(
      "inhibit_rules:\n"
      "  - source_matchers: ['alertname=\"{}\"', 'customer_id=\"\"']\n"
      "    target_matchers: ['alertname=~\"AgentCollectorUnreachable|AgentBufferSaturated\"']\n",
      kNodeAlertsHeld);
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
                                const std::vector<channels::ChannelRow>& channels,
                                const ChannelRelay& relay, std::string_view portal) {
  std::map<CustomerId, std::vector<channels::ChannelRow>> by_customer;
  for (const auto& channel : channels) {
    if (channel.type != "email" || !mail.smarthost.empty()) {
      by_customer[channel.customer].push_back(channel);
    }
  }
  std::string text = "# Written by vigia-monitor; changes here are lost.\n" + render_global(mail) +
                     "route:\n"
                     "  receiver: provider\n"
                     "  group_by: [alertname, customer_id]\n"
                     "  group_wait: 5s\n" +
                     fmt::format("  group_interval: {}\n", format_duration(kGroupInterval)) +
                     "  repeat_interval: 4h\n"
                     "  routes:\n" +
                     fmt::format("    - matchers: ['alertname=\"{}\"']\n      receiver: nobody\n",
                                 kNodeAlertsHeld) +
                     render_watchdog_route(provider);
  std::string receivers = "receivers:\n";
  for (const auto& [customer, own] : by_customer) {
    const auto route = [&, &id = customer](const std::string& name) {
      text += fmt::format(
          "    - matchers: ['customer_id=\"{}\"']\n"
          "      receiver: {}\n"
          "      continue: true\n",
          id.text(), json_text(name));
    };
    const auto is_mail = [](const channels::ChannelRow& channel) {
      return channel.type == "email";
    };
    if (!std::all_of(own.begin(), own.end(), is_mail)) {
      const auto name = "customer-" + customer.text();
      route(name);
      receivers += render_receivers(name, own, relay, portal);
    }
    for (const auto& receiver : mail_receivers(own)) {
      route(receiver.name);
      receivers += render_mail_receiver(receiver, portal);
    }
  }
  // One message a minute at most for what happens to one customer, whatever comes and goes there.
  text += "    - receiver: provider\n      group_interval: 1m\n";
  receivers += "  - name: nobody\n";
  receivers += "  - name: provider\n";
  if (!provider.webhook.empty()) {
    receivers += fmt::format(
        "    webhook_configs:\n      - {{url: {}, send_resolved: true, max_alerts: {}}}\n",
        json_text(provider.webhook), kAlertsOfProviderMessageMax);
  }
  if (!provider.dead_mans_switch.empty()) {
    receivers += fmt::format(
        "  - name: dead-mans-switch\n"
        "    webhook_configs:\n      - {{url: {}, send_resolved: false}}\n",
        json_text(provider.dead_mans_switch));
  }
  return text + render_inhibitions() + receivers;
}

}  // namespace vigia::monitor::alerting
