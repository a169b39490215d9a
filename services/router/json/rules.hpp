// Rules and alerts in Prometheus' answers, cut down to what one customer may see.
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

/// [a,b,…] of pieces of JSON.
std::string join_list(const std::vector<std::string>& items);

/// Leaves one, the first, of items of a list that have the same labels.
void drop_repeated(std::vector<std::string>& items);

}  // namespace vigia::router::json
