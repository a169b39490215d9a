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

namespace vigia::monitor::live {

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

/// The order of lists: most severe first, then newest.
bool comes_first(const ActiveAlert& a, const ActiveAlert& b);

/// Reads the answer of GET /api/v2/alerts, one alert after the other: what is held beside the body
/// is what is kept of it. One alert per name, customer and node stays where several series raise
/// it: an agent's health is both scraped and pushed. Most severe first, then newest. `is_cut`: the
/// body may end anywhere, and what it breaks off in is passed over; else that is kCorrupt.
Result<std::vector<ActiveAlert>> read_alerts(std::string_view body, bool is_cut = false);

/// Whose alerts are asked for together.
struct AlertsAsked {
  std::vector<CustomerId> customers;  ///< empty: the provider's own, which have no customer
  std::size_t answer_bytes_max = 0;
};
struct AlertsAnswer {
  std::vector<ActiveAlert> alerts;
  bool is_cut = false;  ///< the answer was larger: these are a part of them, in no order
};
/// Asks an Alertmanager for these customers' alerts alone. Of one customer the answer may be cut;
/// of several one that is larger is kTooLarge. Blocks.
Result<AlertsAnswer> fetch_alerts(net::Client& client, const std::string& url,
                                  const AlertsAsked& asked);

}  // namespace vigia::monitor::live
