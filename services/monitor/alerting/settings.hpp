// What the configuration says of the hot stores, Alertmanager, and what is told to whom.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "libs/service/config.hpp"
#include "services/monitor/alerting/alertmanager_config.hpp"
#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor::alerting {

/// A hot store; of a pair each member, under one name.
struct ShardSettings {
  std::string name;             ///< "hot-0"
  std::string url;              ///< of its Prometheus
  std::string rules_directory;  ///< where its rule_files lie; "" where somebody else keeps them
};

struct AlertmanagerSettings {
  std::string url;          ///< "" for none
  std::string config_file;  ///< written by the monitor; "" to leave it alone
  ProviderReceivers provider;
  /// How long Alertmanager may hear nothing of a hot store that is there (Watchdog).
  Duration silence_max = std::chrono::minutes(3);
  MailServer mail;
};

struct AlertingSettings {
  std::vector<ShardSettings> shards;

  /// Each name once, in this order.
  std::vector<std::string> shard_names() const;
  AlertmanagerSettings alertmanager;
  RuleSettings rules;
};

/// Of the keys `prometheus`, `alertmanager` and `alerting`, but for who may be a channel's target
/// (channels/settings.hpp); what cannot be is noted at its key.
AlertingSettings read_alerting(const service::ConfigNode& root);

}  // namespace vigia::monitor::alerting
