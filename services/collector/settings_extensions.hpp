// The extensions of a configuration: what other parts refer to.
#pragma once

#include <map>
#include <set>
#include <string>

#include "libs/service/config.hpp"
#include "services/collector/settings.hpp"

namespace vigia::collector {

struct Extensions {
  std::set<std::string> ids;
  std::map<std::string, std::string> bearer_tokens;  ///< bearertokenauth id → header value
  std::string auth_id;                               ///< of vigia_auth
  std::string health_id;
  std::string health_endpoint;
  std::string health_path;
  std::optional<net::TlsServerSettings> health_tls;
};
/// Sets directory and storage in `settings`.
Extensions read_extensions(const service::ConfigNode& node, Settings& settings);
/// Notes what has to be there and is not. Its line is another's, so what is wrong in a line of its
/// own is to be told before.
void check_needed(const service::ConfigNode& node, const Extensions& extensions,
                  const Settings& settings);

}  // namespace vigia::collector
