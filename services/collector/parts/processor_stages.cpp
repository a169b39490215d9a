#include "services/collector/parts/processor_stages.hpp"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vigia::collector::parts {
namespace {

class OfSignal final : public intake::Stage {
 public:
  OfSignal(Signal signal, std::unique_ptr<intake::Stage> stage)
      : signal_(signal), stage_(std::move(stage)) {}

  std::optional<intake::Refusal> accept(intake::Batch& batch) override {
    if (batch.request.signal != signal_) return std::nullopt;
    return stage_->accept(batch);
  }

 private:
  const Signal signal_;
  const std::unique_ptr<intake::Stage> stage_;
};

// Lists are compared by what makes a stage: memory_limiter or batch may stand in one pipeline and
// not in another, as in any file that was written for another collector.
std::vector<std::string> with_stage(const std::vector<std::string>& ids,
                                    const StageMakers& makers) {
  std::vector<std::string> staged;
  for (const std::string& id : ids) {
    const auto found = makers.find(id);
    if (found != makers.end() && found->second) staged.push_back(id);
  }
  return staged;
}

struct FirstList {
  std::string pipeline;
  std::vector<std::string> ids;
};

}  // namespace

tl::expected<std::vector<ConfiguredStage>, UnlikeLists> order_stages(
    std::span<const PipelineProcessors> pipelines, const StageMakers& makers) {
  std::map<Signal, FirstList> lists;
  for (const PipelineProcessors& pipeline : pipelines) {
    auto ids = with_stage(pipeline.ids, makers);
    const auto [first, is_first] =
        lists.try_emplace(pipeline.signal, FirstList{pipeline.pipeline, ids});
    if (is_first || first->second.ids == ids) continue;
    return tl::unexpected<UnlikeLists>({
        pipeline.pipeline,
        fmt::format("has the processors [{}], and {} has [{}]: pipelines of one signal share what "
                    "is kept, so give them the same, in the same order",
                    fmt::join(ids, ", "), first->second.pipeline,
                    fmt::join(first->second.ids, ", ")),
    });
  }
  std::vector<ConfiguredStage> stages;
  for (const auto& [signal, list] : lists) {
    for (const std::string& id : list.ids) stages.push_back({id, signal, makers.at(id)});
  }
  return stages;
}

std::vector<std::unique_ptr<intake::Stage>> make_stages(std::span<const ConfiguredStage> stages) {
  std::vector<std::unique_ptr<intake::Stage>> made;
  for (const ConfiguredStage& stage : stages)
    made.push_back(std::make_unique<OfSignal>(stage.signal, stage.make()));
  return made;
}

}  // namespace vigia::collector::parts
