// The file of rules that a Prometheus loads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/monitor/alerting/reloaded_file.hpp"
#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor::alerting {

/// A Prometheus rule file with these groups, each evaluated every `interval`. Deterministic.
std::string render_groups(const std::vector<RuleGroup>& groups, Duration interval);

/// What one hot store evaluates: the standard and the provider's alerts, those of nodes and
/// collector in groups of their own with nothing that takes time, the one that always stands, and
/// the recording rules for the newer spelling of the collector's own metrics. Deterministic.
std::string render_rules(const RuleSettings& settings, std::string_view shard = "hot-0");

/// A hot store that reads our rules.
struct RuleDestination {
  std::string shard;
  std::string url;        ///< of its Prometheus
  std::string directory;  ///< where it looks for rules
};

/// Those rules as a file of the publisher.
Target rules_target(const RuleSettings& settings, const RuleDestination& destination);

}  // namespace vigia::monitor::alerting
