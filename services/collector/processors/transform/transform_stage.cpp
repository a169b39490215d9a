#include "services/collector/processors/transform/transform_stage.hpp"

#include <utility>

#include "services/collector/processors/programs/program_pass.hpp"

namespace vigia::collector::processors::transform {
namespace {

using ottl::Context;
using wire::edit::Editable;
using wire::edit::EditPlace;
using wire::edit::Fate;

/// Runs one group over one request.
class GroupEditor final : public wire::edit::Editor {
 public:
  GroupEditor(intake::Batch& batch, const StatementGroup& group, std::string_view processor)
      : group_(group), pass_(batch, processor, group.accesses) {}

  Fate on_resource(const EditPlace& place) override {
    if (group_.context != Context::kResource) return Fate::kKeep;
    run(place);
    return Fate::kPass;
  }
  Fate on_scope(const EditPlace& place) override {
    if (group_.context != Context::kScope) return Fate::kKeep;
    run(place);
    return Fate::kPass;
  }
  Fate on_metric(const EditPlace& place) override {
    if (group_.context != Context::kMetric) return Fate::kKeep;
    run(place, &place.metric);
    return Fate::kPass;
  }
  Fate on_item(const EditPlace& place, Editable& item) override {
    if (group_.context != Context::kSpanEvent) {
      run(place, &item);
      return Fate::kKeep;
    }
    programs::for_each_event(item, [&](Editable& event) {
      run(place, &item, &event);
      return true;
    });
    return Fate::kKeep;
  }

 private:
  void run(const EditPlace& place, Editable* item = nullptr, Editable* event = nullptr) {
    ottl::Evaluation& evaluation = pass_.show(group_.context, place, item, event);
    if (!is_wanted(evaluation)) return;
    for (const ottl::Statement& statement : group_.statements) {
      evaluation.begin(evaluation.record());
      if (!statement.run(evaluation))
        pass_.note_fault(group_.error_mode, [&] { return statement.describe(evaluation.fault()); });
    }
  }
  bool is_wanted(ottl::Evaluation& evaluation) {
    for (const ottl::Condition& condition : group_.conditions) {
      bool is_met = false;
      if (!condition.test(evaluation, is_met))
        pass_.note_fault(group_.error_mode, [&] { return condition.describe(evaluation.fault()); });
      if (is_met) return true;
    }
    return group_.conditions.empty();
  }

  const StatementGroup& group_;
  programs::ProgramPass pass_;
};

class TransformStage final : public intake::Stage {
 public:
  explicit TransformStage(std::shared_ptr<const TransformSettings> settings)
      : settings_(std::move(settings)) {}

  std::optional<intake::Refusal> accept(intake::Batch& batch) override {
    for (const StatementGroup& group : settings_->signals.at(batch.request.signal)) {
      GroupEditor editor(batch, group, settings_->id);
      if (auto refusal = programs::run_pass(batch, editor)) return refusal;
    }
    return std::nullopt;
  }

 private:
  const std::shared_ptr<const TransformSettings> settings_;  // of the stages of all signals
};

}  // namespace

std::unique_ptr<intake::Stage> make_transform_stage(
    std::shared_ptr<const TransformSettings> settings) {
  return std::make_unique<TransformStage>(std::move(settings));
}

}  // namespace vigia::collector::processors::transform
