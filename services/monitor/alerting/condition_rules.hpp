// The provider's alerts about conditions in which one of its programs goes on, and a person should
// look: which metric has which alert stands in docs/own-alerts.md.
#pragma once

#include <vector>

#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor::alerting {

/// Of our own programs alone: what customers send has a customer_id, or not the reserved job.
std::vector<AlertRule> condition_rules();

}  // namespace vigia::monitor::alerting
