#include "libs/logql/pipeline/pipeline.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/stages.hpp"

namespace vigia::logql::pipeline {

struct Pipeline::Parts {
  std::vector<CompiledStage> stages;
  LineState line;
};

Pipeline::Pipeline(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&&) noexcept = default;
Pipeline::~Pipeline() = default;

Result<Pipeline> Pipeline::compile(const LogSelector& selector) {
  auto parts = std::make_unique<Parts>();
  SelectorRegexes regexes;
  for (const Stage& stage : selector.stages) {
    auto compiled = compile_stage(stage, regexes);
    if (!compiled) return forward(compiled);
    parts->stages.push_back(std::move(*compiled));
  }
  return Pipeline(std::move(parts));
}

bool Pipeline::run(const StoredLine& line) {
  LineState& state = parts_->line;
  state.text = line.text;
  state.time_ns = line.time_ns;
  state.sample.reset();
  state.work = LineWork();
  state.labels.begin(*line.stream, line.metadata);
  return std::all_of(parts_->stages.begin(), parts_->stages.end(), [&](CompiledStage& stage) {
    const bool goes_on = std::visit([&](auto& one) { return one.run(state); }, stage);
    // Said again of each stage, since one between may have dropped the error.
    if (goes_on && state.work.take_refusal()) {
      state.labels.fail(kWorkError,
                        fmt::format("the stages have to look at more than {} bytes for this line, "
                                    "and some were passed over: use fewer, and fewer regexes",
                                    kLineWorkBytesMax));
    }
    return goes_on;
  });
}

std::string_view Pipeline::text() const { return parts_->line.text; }
const LineLabels& Pipeline::labels() const { return parts_->line.labels; }
std::optional<double> Pipeline::sample() const { return parts_->line.sample; }

}  // namespace vigia::logql::pipeline
