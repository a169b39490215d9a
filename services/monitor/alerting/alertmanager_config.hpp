// Alertmanager's configuration: the provider's receiver gets every alert, a customer's channels get
// that customer's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/monitor/channels/channels.hpp"

namespace vigia::monitor::alerting {

struct MailServer {
  std::string smarthost;  ///< "" for none
  std::string from;
  std::string user;
  std::string password;
  bool require_tls = true;
};

/// Where the provider's own are sent; "" for nowhere.
struct ProviderReceivers {
  std::string webhook;           ///< every alert
  std::string dead_mans_switch;  ///< once a minute while alerts are evaluated and sent
};

/// Where Alertmanager brings what customers' webhooks and Slack channels are told: it never speaks
/// to their hosts itself (internal_port/channel_hooks.hpp).
struct ChannelRelay {
  std::string url;    ///< "http://127.0.0.1:8190/hooks"; /CUSTOMER/CHANNEL is added
  std::string token;  ///< the internal one
};

/// A whole alertmanager.yml (0.25 and newer). Every text that came from outside is quoted; nothing
/// of it names a file (S9), and no address of a webhook or of Slack stands in it. Messages say what
/// the rule says of the state, whose it is, since when in Alertmanager's own time zone, and link to
/// the page under `portal` (an origin; "" for no link). One message tells of all nodes that have
/// the same alert, of at most kAlertsListedMax (a webhook's: kAlertsOfMessageMax) by name.
/// Deterministic. REQUIRES: every channel passes check_channel_text.
std::string render_alertmanager(const ProviderReceivers& provider, const MailServer& mail,
                                const std::vector<channels::ChannelRow>& channels,
                                const ChannelRelay& relay, std::string_view portal = {});

}  // namespace vigia::monitor::alerting
