#include "services/monitor/alerting/alertmanager_config.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "libs/base/check.hpp"
#include "services/monitor/alerting/channel_messages.hpp"
#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/alerting/mail_receivers.hpp"
#include "services/monitor/alerting/rules.hpp"
#include "services/monitor/channels/channel_check.hpp"

namespace vigia::monitor::alerting {
namespace {

using channels::ChannelRow;

/// Everything that a channel's receiver is made of.
struct Told {
  const ChannelRelay& relay;
  std::string_view portal;
};

// Quoted whatever it holds: what comes from outside never becomes anything but a string.
void quoted(std::string_view key, const std::string& text, YAML::Emitter& out) {
  out << std::string(key) << YAML::DoubleQuoted << text;
}

void write_matchers(std::string_view key, const std::vector<std::string>& matchers,
                    YAML::Emitter& out) {
  out << std::string(key) << YAML::Flow << YAML::BeginSeq;
  for (const auto& matcher : matchers) out << YAML::SingleQuoted << matcher;
  out << YAML::EndSeq;
}

std::string equals(std::string_view label, std::string_view value) {
  return fmt::format("{}=\"{}\"", label, value);
}

std::string relay_url(const ChannelRow& channel, const ChannelRelay& relay) {
  return fmt::format("{}/{}/{}", relay.url, channel.customer.text(), channel.id);
}

void write_relay_access(const ChannelRelay& relay, YAML::Emitter& out) {
  out << "http_config" << YAML::Flow << YAML::BeginMap << "follow_redirects" << false
      << "authorization" << YAML::BeginMap;
  quoted("credentials", relay.token, out);
  out << YAML::EndMap << YAML::EndMap;
}

void write_webhook(const ChannelRow& channel, const Told& told, YAML::Emitter& out) {
  out << YAML::BeginMap;
  quoted("url", relay_url(channel, told.relay), out);
  out << "send_resolved" << true << "max_alerts" << kAlertsOfMessageMax;
  write_relay_access(told.relay, out);
  out << YAML::EndMap;
}

// title_link and fallback: Alertmanager's own name a page that the portal does not have.
void write_slack(const ChannelRow& channel, const Told& told, YAML::Emitter& out) {
  const auto subject = subject_of(channel);
  out << YAML::BeginMap;
  quoted("api_url", relay_url(channel, told.relay), out);
  if (!channel.channel.empty()) quoted("channel", channel.channel, out);
  out << "send_resolved" << true;
  write_relay_access(told.relay, out);
  quoted("title", subject, out);
  quoted("title_link", page_of(channel, told.portal), out);
  quoted("fallback", subject, out);
  quoted("text", slack_text(channel, told.portal), out);
  out << YAML::EndMap;
}

void write_mail(const ChannelRow& channel, const Told& told, YAML::Emitter& out) {
  const auto address = channels::wire_mail_address(channel.target);
  CHECK(address.has_value());
  out << YAML::BeginMap;
  quoted("to", *address, out);
  out << "send_resolved" << true << "headers" << YAML::Flow << YAML::BeginMap;
  quoted("Subject", subject_of(channel), out);
  out << YAML::EndMap;
  quoted("html", html_mail(channel, told.portal), out);
  quoted("text", plain_mail(channel, told.portal), out);
  out << YAML::EndMap;
}

/// What a receiver has of one type of channel.
struct Section {
  std::string_view key;
  std::string_view type;
  void (*write)(const ChannelRow&, const Told&, YAML::Emitter&);
};
constexpr std::array kSections = {Section{"webhook_configs", "webhook", write_webhook},
                                  Section{"slack_configs", "slack", write_slack},
                                  Section{"email_configs", "email", write_mail}};

void write_section(const Section& section, const std::vector<ChannelRow>& channels,
                   const Told& told, YAML::Emitter& out) {
  const auto is_one = [&](const ChannelRow& channel) { return channel.type == section.type; };
  if (std::none_of(channels.begin(), channels.end(), is_one)) return;
  out << std::string(section.key) << YAML::BeginSeq;
  for (const auto& channel : channels) {
    if (is_one(channel)) section.write(channel, told, out);
  }
  out << YAML::EndSeq;
}

// While our own parts are away they explain what an agent says of its way to us: nobody is told.
// An alert that is inhibited ends untold, so CustomerNodeDown is held in its rule instead
// (node_rules.cpp). These began with the outage as a rule, and end with it.
void write_own_inhibition(YAML::Emitter& out) {
  out << YAML::BeginMap;
  write_matchers("source_matchers",
                 {equals("alertname", kNodeAlertsHeld), equals("customer_id", "")}, out);
  write_matchers("target_matchers",
                 {"alertname=~\"AgentCollectorUnreachable|AgentBufferSaturated\""}, out);
  out << YAML::EndMap;
}

// A node that is down says nothing: what its last words were goes on for minutes in the rules that
// look at them, and may even fire only then. Not by `unless` in those rules: their end would be
// told as a cure.
void write_node_inhibition(YAML::Emitter& out) {
  out << YAML::BeginMap;
  write_matchers("source_matchers", {equals("alertname", "CustomerNodeDown")}, out);
  write_matchers("target_matchers",
                 {"alertname=~\"HighCPUUsage|HighMemoryUsage|AgentCollectorUnreachable|"
                  "AgentBufferSaturated\""},
                 out);
  out << "equal" << YAML::Flow << YAML::BeginSeq << "customer_id" << "node_id" << YAML::EndSeq
      << YAML::EndMap;
}

void write_inhibitions(YAML::Emitter& out) {
  out << "inhibit_rules" << YAML::BeginSeq;
  write_own_inhibition(out);
  write_node_inhibition(out);
  out << YAML::EndSeq;
}

void write_group_by(const std::vector<std::string>& labels, YAML::Emitter& out) {
  out << "group_by" << YAML::Flow << YAML::BeginSeq;
  for (const auto& label : labels) out << label;
  out << YAML::EndSeq;
}

// Told once a minute and never as resolved: whoever hears nothing more knows that something between
// rules and notifications ended.
void write_watchdog_route(const ProviderReceivers& provider, YAML::Emitter& out) {
  out << YAML::BeginMap;
  if (provider.dead_mans_switch.empty()) {
    write_matchers("matchers", {equals("alertname", kWatchdog)}, out);
    out << "receiver" << "nobody" << YAML::EndMap;
    return;
  }
  write_matchers("matchers", {equals("alertname", kWatchdog), equals("customer_id", "")}, out);
  out << "receiver" << "dead-mans-switch";
  write_group_by({"shard"}, out);
  out << "group_wait" << "1s" << "group_interval" << "1m" << "repeat_interval" << "50s"
      << YAML::EndMap;
}

void write_global(const MailServer& mail, YAML::Emitter& out) {
  if (mail.smarthost.empty()) return;
  out << "global" << YAML::BeginMap;
  quoted("smtp_smarthost", mail.smarthost, out);
  quoted("smtp_from", mail.from, out);
  out << "smtp_require_tls" << mail.require_tls;
  if (!mail.user.empty()) {
    quoted("smtp_auth_username", mail.user, out);
    quoted("smtp_auth_password", mail.password, out);
  }
  out << YAML::EndMap;
}

/// What one receiver of a customer is told. Mails stand apart from webhooks: Alertmanager counts by
/// receiver, so it is known how each fares (mail_outcomes.hpp), and a mail server that hangs would
/// hold up what is told beside it.
struct Receiver {
  std::string name;
  CustomerId customer;
  std::vector<ChannelRow> told;
};

std::vector<Receiver> receivers_of(const std::vector<ChannelRow>& channels, bool has_mail_server) {
  std::map<CustomerId, std::vector<ChannelRow>> by_customer;
  for (const auto& channel : channels) {
    if (channel.type != "email" || has_mail_server) {
      by_customer[channel.customer].push_back(channel);
    }
  }
  std::vector<Receiver> receivers;
  for (const auto& [customer, own] : by_customer) {
    const auto is_mail = [](const ChannelRow& channel) { return channel.type == "email"; };
    std::vector<ChannelRow> others;
    std::remove_copy_if(own.begin(), own.end(), std::back_inserter(others), is_mail);
    if (!others.empty()) {
      receivers.push_back({"customer-" + customer.text(), customer, std::move(others)});
    }
    for (auto& mails : mail_receivers(own)) {
      receivers.push_back({std::move(mails.name), customer, std::move(mails.told)});
    }
  }
  return receivers;
}

void write_routes(const std::vector<Receiver>& receivers, const ProviderReceivers& provider,
                  YAML::Emitter& out) {
  out << "routes" << YAML::BeginSeq << YAML::BeginMap;
  write_matchers("matchers", {equals("alertname", kNodeAlertsHeld)}, out);
  out << "receiver" << "nobody" << YAML::EndMap;
  write_watchdog_route(provider, out);
  for (const auto& receiver : receivers) {
    out << YAML::BeginMap;
    write_matchers("matchers", {equals("customer_id", receiver.customer.text())}, out);
    quoted("receiver", receiver.name, out);
    out << "continue" << true << YAML::EndMap;
  }
  // One message a minute at most for what happens to one customer, whatever comes and goes there.
  out << YAML::BeginMap << "receiver" << "provider" << "group_interval" << "1m" << YAML::EndMap
      << YAML::EndSeq;
}

void write_route(const std::vector<Receiver>& receivers, const ProviderReceivers& provider,
                 YAML::Emitter& out) {
  out << "route" << YAML::BeginMap << "receiver" << "provider";
  write_group_by({"alertname", "customer_id"}, out);
  out << "group_wait" << "5s" << "group_interval" << format_duration(kGroupInterval)
      << "repeat_interval" << "4h";
  write_routes(receivers, provider, out);
  out << YAML::EndMap;
}

void write_own_receivers(const ProviderReceivers& provider, YAML::Emitter& out) {
  out << YAML::BeginMap << "name" << "nobody" << YAML::EndMap;
  out << YAML::BeginMap << "name" << "provider";
  if (!provider.webhook.empty()) {
    out << "webhook_configs" << YAML::BeginSeq << YAML::BeginMap;
    quoted("url", provider.webhook, out);
    out << "send_resolved" << true << "max_alerts" << kAlertsOfProviderMessageMax << YAML::EndMap
        << YAML::EndSeq;
  }
  out << YAML::EndMap;
  if (provider.dead_mans_switch.empty()) return;
  out << YAML::BeginMap << "name" << "dead-mans-switch" << "webhook_configs" << YAML::BeginSeq
      << YAML::BeginMap;
  quoted("url", provider.dead_mans_switch, out);
  out << "send_resolved" << false << YAML::EndMap << YAML::EndSeq << YAML::EndMap;
}

}  // namespace

std::string render_alertmanager(const ProviderReceivers& provider, const MailServer& mail,
                                const std::vector<ChannelRow>& channels, const ChannelRelay& relay,
                                std::string_view portal) {
  const auto receivers = receivers_of(channels, !mail.smarthost.empty());
  const Told told{relay, portal};
  YAML::Emitter out;
  out << YAML::BeginMap;
  write_global(mail, out);
  write_route(receivers, provider, out);
  write_inhibitions(out);
  out << "receivers" << YAML::BeginSeq;
  for (const auto& receiver : receivers) {
    out << YAML::BeginMap;
    quoted("name", receiver.name, out);
    for (const auto& section : kSections) write_section(section, receiver.told, told, out);
    out << YAML::EndMap;
  }
  write_own_receivers(provider, out);
  out << YAML::EndSeq << YAML::EndMap;
  return fmt::format("# Written by vigia-monitor; changes here are lost.\n{}\n", out.c_str());
}

}  // namespace vigia::monitor::alerting
