#include "services/monitor/sessions/settings.hpp"

#include "services/monitor/config/positive_duration.hpp"

namespace vigia::monitor::sessions {

SessionSettings read_session(const service::ConfigNode& node, bool is_secure) {
  SessionSettings settings;
  settings.idle_max = config::read_positive(node.child("idle"), settings.idle_max);
  settings.absolute_max = config::read_positive(node.child("absolute"), settings.absolute_max);
  settings.is_secure = is_secure;
  return settings;
}

}  // namespace vigia::monitor::sessions
