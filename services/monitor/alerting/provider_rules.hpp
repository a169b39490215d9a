// What the provider alone is told.
#pragma once

#include <vector>

#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor::alerting {

/// Of our own programs: what they lose, what is damaged, what does not arrive.
std::vector<AlertRule> provider_rules(const RuleSettings& settings);

}  // namespace vigia::monitor::alerting
