// Active alerts, as Alertmanager holds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "libs/net/client.hpp"

namespace vigia::monitor {

struct ActiveAlert {
  std::string id;  ///< Alertmanager's fingerprint
  std::string name;
  std::string severity;
  bool is_silenced = false;            ///< by a person
  bool is_inhibited = false;           ///< another alert explains it
  std::optional<CustomerId> customer;  ///< nothing: the provider's
  std::string node_id;                 ///< "" for none
  std::string summary;                 ///< Spanish
  std::string summary_en;              ///< "" where its rule has none
  std::int64_t started_ms = 0;
  Labels labels;
};

/// Reads the answer of GET /api/v2/alerts. One alert per name, customer and node stays where
/// several series raise it: an agent's health is both scraped and pushed. Most severe first, then
/// newest.
Result<std::vector<ActiveAlert>> read_alerts(std::string_view body);

/// Asks an Alertmanager. Blocks.
Result<std::vector<ActiveAlert>> fetch_alerts(net::Client& client, const std::string& url);

}  // namespace vigia::monitor
