// When a node was down, told from its samples, from `up` and from our own outages, step by step of
// a curve.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace vigia::monitor::live {

/// One step of a curve: what lies in the time that ends there.
struct StepFacts {
  std::int64_t seconds = 0;        ///< how long the step is; the last may be shorter
  double samples = 0;              ///< of the node's own, that arrived
  std::optional<double> up_share;  ///< 0 to 1; nothing where nobody asked
  double outage_share = 0;         ///< 0 to 1: how much of it Vigía itself was away
};

/// What is missing of a step, and whose doing it is.
struct StepJudgement {
  /// The share of it that the node was down; nothing where samples are missing and nobody knows
  /// why.
  std::optional<double> down;
  double outage = 0;  ///< the share of it that is missing because Vigía itself was away
};

/// For each step: nothing is missing where its samples are there (or are only further apart than
/// the steps); what is missing while Vigía was away is its own outage; what else is missing and
/// did not answer was down. Samples that arrive late, from the agent's buffer, make a time in which
/// it could not be asked a time in which it was up.
std::vector<StepJudgement> judge_steps(const std::vector<StepFacts>& steps);

}  // namespace vigia::monitor::live
