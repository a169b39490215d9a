// The configuration of vigia-monitor: defaults and checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/net/server.hpp"
#include "libs/service/config.hpp"
#include "services/monitor/access/client_address.hpp"
#include "services/monitor/alerting/alertmanager_config.hpp"
#include "services/monitor/alerting/rules.hpp"
#include "services/monitor/sessions/authenticator.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor {

struct ShardSettings {
  std::string name;             ///< "hot-0"
  std::string url;              ///< of its Prometheus
  std::string rules_directory;  ///< where its rule_files lie
};

struct MailSettings {
  std::string smarthost;  ///< host:port; "" for no mail
  std::string from;
  std::string user;
  std::string password;
  bool require_tls = true;
};

struct AlertmanagerSettings {
  std::string url;          ///< "" for none
  std::string config_file;  ///< written by the monitor; "" to leave it alone
  alerting::ProviderReceivers provider;
  /// How long Alertmanager may hear nothing of a hot store that is there (Watchdog).
  Duration silence_max = std::chrono::minutes(3);
  MailSettings mail;
};

struct Settings {
  std::string listen = "127.0.0.1:8090";
  std::string internal_listen = "127.0.0.1:8190";
  /// What Prometheus and Alertmanager call it, "http://monitor:8190"; "" for what it listens at.
  std::string internal_url;
  std::string database;
  store::DatabaseOptions database_options;
  std::string internal_token;
  std::string router_url;
  std::vector<ShardSettings> shards;
  AlertmanagerSettings alertmanager;
  alerting::RuleSettings rules;
  std::string bootstrap_user;  ///< "" for none
  std::string bootstrap_password;
  std::string portal_directory;  ///< "" to serve no pages
  bool allow_loopback_nodes = false;
  bool allow_private_channels = false;
  sessions::SessionSettings session;
  std::string
      public_url;  ///< what browsers call this server, without a path; "" if plain and direct
  std::string collector_grpc;  ///< shown to who adds a node
  std::string collector_http;
  std::string router_public;
  std::optional<net::TlsServerSettings> tls;
  access::DoorProxies trusted_proxies;
  std::vector<std::string> door_proxies;  ///< the same as they are written, for the server
};

/// Reads everything and finishes the file: kInvalid names file, line and key.
Result<Settings> read_settings(const service::ConfigFile& file);

/// The keys with their defaults, for --help.
std::string settings_help();

}  // namespace vigia::monitor
