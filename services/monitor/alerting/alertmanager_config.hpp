// Alertmanager's configuration: the provider's receiver gets every alert, a customer's channels get
// that customer's.
#pragma once

#include <string>
#include <vector>

#include "services/monitor/store/channels.hpp"

namespace vigia::monitor {

struct MailServer {
  std::string smarthost;  ///< "" for none
  std::string from;
  std::string user;
  std::string password;
  bool require_tls = true;
};

/// A whole alertmanager.yml (0.25 and newer). Every text that came from outside is quoted; nothing
/// of it names a file (S9). Deterministic.
std::string render_alertmanager(const std::string& provider_webhook, const MailServer& mail,
                                const std::vector<Channel>& channels);

/// kInvalid where a channel could not be written into such a file: an address or #name that holds
/// more than plain characters (Alertmanager would run it as a template), an unknown type.
Result<void> check_channel_text(const std::string& type, const std::string& target,
                                const std::string& channel);

}  // namespace vigia::monitor
