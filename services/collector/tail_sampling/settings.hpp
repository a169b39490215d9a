// The processor `tail_sampling`, as the configuration has it.
#pragma once

#include <cstdint>
#include <set>

#include "libs/base/duration.hpp"
#include "libs/model/signal.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/tail_sampling/policy.hpp"

namespace vigia::collector::tail_sampling {

struct TailSamplingSettings {
  Duration decision_wait = std::chrono::seconds(30);
  std::uint64_t num_traces = 50'000;  ///< undecided, of all customers
  /// Verdicts that are remembered for late spans, of all customers, beyond those that are needed.
  std::uint64_t remembered = 50'000;
  Policies policies;
};

/// Notes what is wrong: a policy of a kind that there is none of, with its line; a pipeline of
/// another signal.
TailSamplingSettings read_tail_sampling(const service::ConfigNode& node,
                                        const std::set<Signal>& signals, config::Notes& notes);

/// What a start without the processor does with what waits: all of it is kept.
TailSamplingSettings keep_all();

}  // namespace vigia::collector::tail_sampling
