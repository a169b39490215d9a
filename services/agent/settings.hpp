// The agent's configuration: keys, defaults and checks.
#pragma once

#include <string>

#include "libs/base/result.hpp"
#include "libs/service/config.hpp"
#include "services/agent/buffer/settings.hpp"
#include "services/agent/health/settings.hpp"
#include "services/agent/relay/settings.hpp"
#include "services/agent/sender/settings.hpp"
#include "services/agent/telemetry/settings.hpp"

namespace vigia::agent {

/// What each part is told.
struct Settings {
  sender::CollectorSettings collector;
  health::HealthSettings health;
  relay::RelaySettings relay;
  buffer::BufferSettings buffer;
  telemetry::TelemetrySettings telemetry;  ///< and in it whose node this is
};

/// Reads all keys and calls ConfigFile::finish. kInvalid with file, line and key.
Result<Settings> read_settings(const service::ConfigFile& file);

/// The keys with their defaults, for --help.
std::string settings_help();

}  // namespace vigia::agent
