// Whether a node is down, and what holds that judgement while something of ours is away.
#pragma once

#include <string>
#include <string_view>

#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor::alerting {

/// Of nodes that pushed once, or are asked, and do not answer while nothing of ours explains it.
std::string node_down_expression();

/// What is recorded of our own absences, the alert that stands meanwhile (kNodeAlertsHeld), and
/// last `node_down`, which reads what was recorded: a group is evaluated in its order.
RuleGroup node_group(const RuleSettings& settings, AlertRule node_down);

}  // namespace vigia::monitor::alerting
