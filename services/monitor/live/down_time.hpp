// When a node was down, told from its samples and from `up`, step by step of a curve.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace vigia::monitor {

/// One step of a curve: what lies in the time that ends there.
struct StepFacts {
  std::int64_t seconds = 0;        ///< how long the step is; the last may be shorter
  double samples = 0;              ///< of the node's own, that arrived
  std::optional<double> up_share;  ///< 0 to 1; nothing where nobody asked
};

/// For each step the share of it that the node was down: 0 where its samples are there (or are only
/// further apart than the steps), 1 where there are none and it did not answer, nothing where there
/// are none and nobody knows why. Samples that arrive late, from the agent's buffer, make a time in
/// which it could not be asked a time in which it was up.
std::vector<std::optional<double>> down_shares(const std::vector<StepFacts>& steps);

}  // namespace vigia::monitor
