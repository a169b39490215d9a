// The alert and recording rules that every hot Prometheus evaluates.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/duration.hpp"

namespace vigia::monitor::alerting {

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
  /// Of alerts whose data is pushed: the newest sample of a silent series is seen for 5 minutes;
  /// after that the alert is kept alive as long again before it counts as solved.
  Duration keep_firing_for = std::chrono::minutes(5);
  /// After our own parts are back, how long what looks like an absent node is held: agents come
  /// back and deliver what they kept. Five times as long after an outage that was longer than this.
  Duration outage_grace = std::chrono::minutes(3);
};

/// How often rules with these waits are evaluated unless the configuration says otherwise: 30 s, or
/// half of the shortest wait where that is less (a demo's 10 s would else take 40), at least 1 s.
Duration default_interval(const RuleSettings& settings);

/// Further labels of what a rule gives.
using RuleLabels = std::vector<std::pair<std::string, std::string>>;

struct AlertRule {
  std::string name;
  std::string expression;
  Duration hold;
  Duration keep_firing;  ///< 0: none
  std::string severity;
  std::string summary;        ///< Spanish, as the founding rules have it; Prometheus' template
  std::string summary_en;     ///< the same in English
  std::string resolved = {};  ///< what is told once it is over, Spanish; "" for nothing of its own
  std::string resolved_en = {};  ///< the same in English
  RuleLabels labels = {};        ///< besides the severity
  std::string title = {};        ///< what people call it, Spanish; "" for the name
  std::string title_en = {};     ///< the same in English
};

/// An expression whose value is kept under another name.
struct RecordingRule {
  std::string name;
  std::string expression;
  RuleLabels labels;
};

/// Rules that one thread of Prometheus evaluates one after the other, recording ones first.
struct RuleGroup {
  std::string name;
  std::vector<RecordingRule> records;
  std::vector<AlertRule> alerts;
};

/// The six standard alerts. Those whose data is pushed keep firing over a gap in the data, so that
/// a silent agent does not look like a solved problem. Each gives at most one alert for a node that
/// the directory has, whatever labels and node ids a customer's data holds: no data puts a rule in
/// error (B2) or floods those who share it (B5). A node that never lived is not down, and one that
/// pushes is not judged while our own parts are away.
std::vector<AlertRule> standard_rules(const RuleSettings& settings);

/// The alert that stands while absences cannot be judged; it inhibits those that our own outage
/// explains (alertmanager_config.cpp) and is sent to nobody.
inline constexpr std::string_view kNodeAlertsHeld = "NodeAlertsHeld";

/// The alert that always stands, one of each hot store (label shard). While it arrives, rules are
/// evaluated and told; Watchdog (watchdog.hpp) looks whether it does, and so may somebody outside
/// (alerting.dead_mans_switch).
inline constexpr std::string_view kWatchdog = "Watchdog";

}  // namespace vigia::monitor::alerting
