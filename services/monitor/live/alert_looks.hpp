// The looks at the active alerts: each customer has a share of them.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/net/client.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/live/look_plan.hpp"

namespace vigia::monitor::live {

/// Asks Alertmanager for the alerts of small customers together and of large ones alone, so that
/// whoever raises ten thousands costs nobody else the sight of its own. Of a customer
/// kAlertsOfCustomerMax are kept, the worst and newest, with how many more there are; who has more
/// is asked for every kManyAlertsInterval, after the others. Thread contract: one thread.
class AlertLooks {
 public:
  /// `answer_bytes_max`: of one answer; what is longer is cut, and the rest of it not known.
  AlertLooks(net::Client& client, const Clock& clock, std::string url, std::size_t answer_bytes_max)
      : client_(client), clock_(clock), url_(std::move(url)), answer_bytes_max_(answer_bytes_max) {}

  /// One round. What of it fails stays as it is in `state`, with its age; alerts_problem says
  /// "" where anything was answered. `nodes` says how many each customer has. Gives how many
  /// questions were not answered.
  std::size_t look(const std::map<CustomerId, std::size_t>& nodes, LiveState& state);

 private:
  Result<void> ask(const LookGroup& group, LiveState& state);
  /// Puts what was answered (at state.alerts_ms) in the place of what was known of those who were
  /// asked for.
  void take(const std::vector<CustomerId>& asked, AlertsAnswer answer, LiveState& state);
  /// In the order in which they are asked.
  std::vector<LookGroup> groups_of(const std::map<CustomerId, std::size_t>& nodes);
  static void forget(const std::map<CustomerId, std::size_t>& nodes, LiveState& state);
  bool is_due(const LookGroup& group) const;
  void note_many(const std::optional<CustomerId>& customer, bool has_many);

  net::Client& client_;
  const Clock& clock_;
  const std::string url_;
  const std::size_t answer_bytes_max_;
  LookPlan plan_;
  std::map<CustomerId, TimePoint> many_;  ///< those with more than are kept: when they were asked
};

}  // namespace vigia::monitor::live
