// What the configuration says of sessions.
#pragma once

#include <chrono>

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"

namespace vigia::monitor::sessions {

struct SessionSettings {
  Duration idle_max = std::chrono::minutes(30);
  Duration absolute_max = std::chrono::hours(12);
  bool is_secure = false;  ///< browsers come over TLS: cookie __Host-vigia; Secure
};

/// Of the key `session`; what cannot be is noted at its key. `is_secure`: of the door that browsers
/// come by.
SessionSettings read_session(const service::ConfigNode& node, bool is_secure);

}  // namespace vigia::monitor::sessions
