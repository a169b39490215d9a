// Rules, alerts and metadata in Prometheus' answers, cut down to what one customer may see.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::router::json {

/// The alerts of {"alerts":[…]}, each as JSON: those whose labels carry the customer, or all.
/// kCorrupt where the text is not of that form; so for all of these.
Result<std::vector<std::string>> read_alerts(std::string_view json,
                                             const std::optional<CustomerId>& customer);
/// The groups of {"groups":[…]}, each as JSON. For a customer: only rules whose labels carry it,
/// with only its alerts, without the names of files.
Result<std::vector<std::string>> read_groups(std::string_view json,
                                             const std::optional<CustomerId>& customer);
/// [{"target":…,"metric":"up","type":…,"help":…,"unit":…},…] of /targets/metadata in the form of
/// /metadata: {"up":[{"type":…,"help":…,"unit":…}]}.
struct MetadataSelection {
  std::string metric;                ///< the one that was asked for: Prometheus leaves it out then
  std::size_t limit = 0;             ///< metrics at most; 0: all
  std::size_t limit_per_metric = 0;  ///< entries of one at most; 0: all
};
Result<std::string> metadata_of_targets(std::string_view json, const MetadataSelection& selection);

/// [a,b,…] of pieces of JSON.
std::string join_list(const std::vector<std::string>& items);

}  // namespace vigia::router::json
