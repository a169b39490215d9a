#include "services/monitor/alerting/settings.hpp"

#include <algorithm>

#include "libs/service/doors.hpp"
#include "services/monitor/channels/channel_check.hpp"
#include "services/monitor/config/positive_duration.hpp"

namespace vigia::monitor::alerting {
namespace {

using config::read_positive;
using service::ConfigNode;

std::vector<ShardSettings> read_shards(const ConfigNode& node) {
  std::vector<ShardSettings> shards;
  for (const auto& item : node.items()) {
    ShardSettings shard;
    shard.name = item.child("name").required_text();
    shard.url = service::read_url(item.child("url"), true);
    shard.rules_directory = item.child("rules_directory").text();
    for (const auto& other : shards) {
      if (other.url == shard.url)
        item.child("url").note_error("this Prometheus stands there twice");
      const bool is_kept = !shard.rules_directory.empty();
      if (is_kept && other.rules_directory == shard.rules_directory) {
        item.child("rules_directory").note_error("another Prometheus has its rules there");
      }
    }
    shards.push_back(std::move(shard));
  }
  if (shards.empty()) node.note_error("at least one shard is needed");
  return shards;
}

}  // namespace

std::vector<std::string> AlertingSettings::shard_names() const {
  std::vector<std::string> names;
  for (const auto& shard : shards) {
    if (std::find(names.begin(), names.end(), shard.name) == names.end()) {
      names.push_back(shard.name);
    }
  }
  return names;
}

namespace {

RuleSettings read_rules(const ConfigNode& node) {
  RuleSettings rules;
  const auto read = [&](std::string_view key, Duration& value) {
    value = read_positive(node.child(key), value);
  };
  read("node_down_for", rules.node_down_for);
  read("collector_down_for", rules.collector_down_for);
  read("buffer_saturated_for", rules.buffer_saturated_for);
  read("collector_unreachable_for", rules.collector_unreachable_for);
  read("high_cpu_for", rules.high_cpu_for);
  read("high_memory_for", rules.high_memory_for);
  read("outage_grace", rules.outage_grace);
  read("keep_firing_for", rules.keep_firing_for);
  rules.interval = default_interval(rules);
  read("interval", rules.interval);
  return rules;
}

// Alertmanager would refuse its whole file because of a receiver that it cannot read.
std::string read_receiver(const ConfigNode& node) {
  auto url = node.text();
  if (!url.empty() && !channels::check_channel_text("webhook", url, "")) {
    node.note_error("has to be a URL in its escaped form");
  }
  return url;
}

MailServer read_mail(const ConfigNode& node) {
  MailServer mail;
  mail.smarthost = node.child("smarthost").text();
  mail.from = node.child("from").text();
  mail.user = node.child("user").text();
  mail.password = node.child("password").text();
  mail.require_tls = node.child("require_tls").boolean(true);
  if (!mail.smarthost.empty() && mail.from.empty()) {
    node.note_error("from is needed where smarthost is set");
  }
  return mail;
}

AlertmanagerSettings read_alertmanager(const ConfigNode& node, const ConfigNode& alerting,
                                       Duration interval) {
  AlertmanagerSettings alertmanager;
  alertmanager.url = service::read_url(node.child("url"), false);
  alertmanager.config_file = node.child("config_file").text();
  alertmanager.provider.webhook = read_receiver(alerting.child("webhook"));
  alertmanager.provider.dead_mans_switch = read_receiver(alerting.child("dead_mans_switch"));
  // Never shorter than three evaluations: one that is late by a moment must not be an outage.
  alertmanager.silence_max =
      read_positive(alerting.child("rules_silent_for"),
                    std::max<Duration>(alertmanager.silence_max, 3 * interval));
  alertmanager.mail = read_mail(alerting.child("mail"));
  return alertmanager;
}

}  // namespace

AlertingSettings read_alerting(const ConfigNode& root) {
  const auto alerting = root.child("alerting");
  AlertingSettings settings;
  settings.shards = read_shards(root.child("prometheus"));
  settings.rules = read_rules(alerting);
  settings.alertmanager =
      read_alertmanager(root.child("alertmanager"), alerting, settings.rules.interval);
  return settings;
}

}  // namespace vigia::monitor::alerting
