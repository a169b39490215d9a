// Whatever a tracestate says: what can be read is written so that it says the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "libs/base/check.hpp"
#include "services/collector/processors/sampler/threshold.hpp"
#include "services/collector/processors/sampler/trace_state.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace sampler = vigia::collector::processors::sampler;
  const std::string text(data, data + size);
  auto state = sampler::TraceState::read(text);
  if (!state) return 0;
  if (state->threshold()) CHECK(*state->threshold() < sampler::kNever);
  if (state->randomness()) CHECK(*state->randomness() < sampler::kRandomnessEnd);
  const std::string once = state->text();
  const auto again = sampler::TraceState::read(once);
  CHECK(again && again->text() == once);
  CHECK(again->threshold() == state->threshold() && again->randomness() == state->randomness());
  state->set_threshold(sampler::kRandomnessEnd / 2);
  // A threshold more may be one too many for what is read, as it is upstream.
  const auto sampled = sampler::TraceState::read(state->text());
  CHECK(!sampled || sampled->threshold() == sampler::kRandomnessEnd / 2);
  return 0;
}
