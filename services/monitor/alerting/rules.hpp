// The alert and recording rules that every hot Prometheus evaluates.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"

namespace vigia::monitor {

/// How long each condition has to hold. The defaults are the standard ones; a demo or a test may
/// shorten them, and pages then say so.
struct RuleSettings {
  Duration node_down_for = std::chrono::minutes(2);
  Duration collector_down_for = std::chrono::minutes(1);
  Duration buffer_saturated_for = std::chrono::minutes(5);
  Duration collector_unreachable_for = std::chrono::minutes(5);
  Duration high_cpu_for = std::chrono::minutes(10);
  Duration high_memory_for = std::chrono::minutes(10);
  Duration interval = std::chrono::seconds(30);  ///< of evaluation
};

/// How often rules with these waits are evaluated unless the configuration says otherwise: 30 s, or
/// half of the shortest wait where that is less (a demo's 10 s would else take 40), at least 1 s.
Duration default_interval(const RuleSettings& settings);

struct AlertRule {
  std::string name;
  std::string expression;
  Duration hold;
  Duration keep_firing;  ///< 0: none
  std::string severity;
  std::string summary;  ///< Spanish; Prometheus' template
};

/// The six standard alerts. Those whose data is pushed keep firing over a gap in the data, so that
/// a silent agent does not look like a solved problem.
std::vector<AlertRule> standard_rules(const RuleSettings& settings);

/// A Prometheus rule file with the standard alerts and the recording rules for the newer spelling
/// of the collector's own metrics. Deterministic.
std::string render_rules(const RuleSettings& settings);

}  // namespace vigia::monitor
