// Alerts as Alertmanager lists them, and as it and a webhook of its kind are sent them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"

namespace vigia::monitor::alerting {

struct PostedAlert {
  using Texts = std::vector<std::pair<std::string, std::string>>;

  Texts labels;
  Texts annotations;
  std::string generator_url;    ///< "" for none
  std::int64_t starts_ms = 0;   ///< wall clock
  std::int64_t ends_ms = 0;     ///< past: resolved; 0: not known
  std::string updated_at = {};  ///< as Alertmanager writes it; changes with every post
  std::string_view label(std::string_view name) const;  ///< "" where it has none
};

/// The alerts that are not resolved; with `names` (a regular expression) only the provider's own of
/// these names. Blocks.
Result<std::vector<PostedAlert>> list_posted(net::Client& client, const std::string& url,
                                             const std::string& names);
/// Tells Alertmanager. Blocks; at most kAlertsPostedAtOnce a request.
Result<void> post_alerts(net::Client& client, const std::string& url,
                         const std::vector<PostedAlert>& alerts);
/// Tells a receiver what Alertmanager would (webhook, version 4), without Alertmanager. Blocks.
Result<void> send_to_webhook(net::Client& client, const std::string& url, const PostedAlert& alert,
                             bool is_firing);

}  // namespace vigia::monitor::alerting
