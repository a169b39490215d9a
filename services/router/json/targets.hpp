// What hot scrapes, in its answers, cut down to what one customer may see.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::router::json {

/// The active targets of {"activeTargets":[…],…}, each as JSON: those whose labels carry the
/// customer, without what tells where and how they are scraped, and with lastError where
/// `hides_error` does not hide it; all, whole, where no customer is given. kCorrupt on anything
/// else.
Result<std::vector<std::string>> read_targets(std::string_view json,
                                              const std::optional<CustomerId>& customer,
                                              bool (*hides_error)(std::string_view text));

}  // namespace vigia::router::json
