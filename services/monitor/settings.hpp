// The configuration of vigia-monitor: what each part reads of it.
#pragma once

#include <string>

#include "libs/base/result.hpp"
#include "libs/service/config.hpp"
#include "services/monitor/access/settings.hpp"
#include "services/monitor/alerting/settings.hpp"
#include "services/monitor/channels/settings.hpp"
#include "services/monitor/internal_port/settings.hpp"
#include "services/monitor/live/settings.hpp"
#include "services/monitor/nodes/settings.hpp"
#include "services/monitor/sessions/settings.hpp"
#include "services/monitor/store/settings.hpp"
#include "services/monitor/users/settings.hpp"

namespace vigia::monitor {

struct Settings {
  access::DoorSettings door;
  internal_port::InternalPortSettings internal_port;
  store::StoreSettings store;
  alerting::AlertingSettings alerting;
  live::LiveSettings live;
  channels::ChannelSettings channels;
  nodes::NodeSettings nodes;
  sessions::SessionSettings session;
  users::FirstOperatorSettings first_operator;
  std::string portal_directory;  ///< "" to serve no pages
};

/// Reads everything and finishes the file: kInvalid names file, line and key.
Result<Settings> read_settings(const service::ConfigFile& file);

/// The keys with their defaults, for --help.
std::string settings_help();

}  // namespace vigia::monitor
