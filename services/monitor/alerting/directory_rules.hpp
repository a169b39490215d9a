// The provider's alerts about the control plane's database and the list of customers and tokens
// that collector and router have from it.
#pragma once

#include <vector>

#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor::alerting {

/// What a person must decide (a database in doubt, a doubted list), and copies that are damaged or
/// cannot be written. Of our own programs alone: what customers send has a customer_id.
std::vector<AlertRule> directory_rules();

}  // namespace vigia::monitor::alerting
