// The processor `probabilistic_sampler`.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "libs/model/signal.hpp"
#include "libs/service/config.hpp"
#include "services/collector/intake/stage.hpp"

namespace vigia::collector::processors::sampler {

enum class SamplerMode : std::uint8_t {
  kHashSeed,      ///< a hash of the trace id decides, or of an attribute (log records)
  kProportional,  ///< so much of what comes is kept
  kEqualizing,    ///< what was sampled before is not sampled below that
};

struct SamplerSettings {
  SamplerMode mode = SamplerMode::kHashSeed;
  double probability = 0;  ///< from 2^-56 to 1
  /// Nothing, but for what has a priority; also where hash_seed has too few bits for the
  /// percentage.
  bool keeps_nothing = true;
  /// In hash_seed: the threshold, in its 14 bits.
  std::uint64_t hash_threshold = 0;
  std::uint32_t hash_seed = 0;
  bool fails_closed = true;  ///< what has no randomness, or a state that contradicts it, goes
  int precision = 4;         ///< hexadecimal digits of a threshold
  // Log records alone.
  bool uses_trace_id = true;
  std::string from_attribute = {};
  std::string sampling_priority = {};
};

/// Notes what is wrong; a pipeline of metrics is.
SamplerSettings read_sampler(const service::ConfigNode& node, const std::set<Signal>& signals);

/// Decides for each span or log record by what it holds alone, so that every collector decides
/// alike; what is kept carries the threshold from then on.
std::unique_ptr<intake::Stage> make_sampler_stage(SamplerSettings settings);

}  // namespace vigia::collector::processors::sampler
