#include "services/collector/processors/filter/filter_stage.hpp"

#include <algorithm>
#include <utility>

#include "services/collector/processors/programs/program_pass.hpp"

namespace vigia::collector::processors::filter {
namespace {

using ottl::Context;
using wire::edit::Editable;
using wire::edit::EditPlace;
using wire::edit::Fate;

/// Works on one request.
class FilterEditor final : public wire::edit::Editor {
 public:
  FilterEditor(intake::Batch& batch, const SignalFilter& filter, std::string_view processor)
      : filter_(filter),
        item_context_(context_of_items(batch.request.signal)),
        pass_(batch, processor, filter.accesses) {}

  Fate on_resource(const EditPlace& place) override {
    if (is_met(Context::kResource, place)) return Fate::kDrop;
    return has_below(Context::kResource) ? Fate::kKeep : Fate::kPass;
  }
  Fate on_scope(const EditPlace& place) override {
    if (is_met(Context::kScope, place)) return Fate::kDrop;
    return has_below(Context::kScope) ? Fate::kKeep : Fate::kPass;
  }
  Fate on_metric(const EditPlace& place) override {
    if (is_met(Context::kMetric, place, &place.metric)) return Fate::kDrop;
    return has_below(Context::kMetric) ? Fate::kKeep : Fate::kPass;
  }
  Fate on_item(const EditPlace& place, Editable& item) override {
    if (is_met(item_context_, place, &item)) return Fate::kDrop;
    if (item_context_ != Context::kSpan || filter_.of(Context::kSpanEvent).empty())
      return Fate::kKeep;
    programs::for_each_event(
        item, [&](Editable& event) { return !is_met(Context::kSpanEvent, place, &item, &event); });
    return Fate::kKeep;
  }

 private:
  static Context context_of_items(Signal signal) {
    if (signal == Signal::kMetrics) return Context::kPoint;
    return signal == Signal::kTraces ? Context::kSpan : Context::kLog;
  }
  bool has_below(Context context) const {
    constexpr std::array kInner{Context::kScope,  Context::kSpan,  Context::kSpanEvent,
                                Context::kMetric, Context::kPoint, Context::kLog};
    return std::any_of(kInner.begin(), kInner.end(), [&](Context inner) {
      return inner != context && ottl::sees(inner, context) && !filter_.of(inner).empty();
    });
  }
  bool is_met(Context context, const EditPlace& place, Editable* item = nullptr,
              Editable* event = nullptr) {
    const std::vector<DropCondition>& conditions = filter_.of(context);
    if (conditions.empty()) return false;
    ottl::Evaluation& evaluation = pass_.show(context, place, item, event);
    for (const DropCondition& each : conditions) {
      bool is_it = false;
      if (!each.condition.test(evaluation, is_it))
        pass_.note_fault(each.error_mode,
                         [&] { return each.condition.describe(evaluation.fault()); });
      if (is_it) return true;
    }
    return false;
  }

  const SignalFilter& filter_;
  const Context item_context_;
  programs::ProgramPass pass_;
};

class FilterStage final : public intake::Stage {
 public:
  explicit FilterStage(std::shared_ptr<const FilterSettings> settings)
      : settings_(std::move(settings)) {}

  std::optional<intake::Refusal> accept(intake::Batch& batch) override {
    const SignalFilter& filter = settings_->signals.at(batch.request.signal);
    const bool is_empty = std::all_of(filter.conditions.begin(), filter.conditions.end(),
                                      [](const auto& conditions) { return conditions.empty(); });
    if (is_empty) return std::nullopt;
    FilterEditor editor(batch, filter, settings_->id);
    return programs::run_pass(batch, editor);
  }

 private:
  const std::shared_ptr<const FilterSettings> settings_;  // of the stages of all signals
};

}  // namespace

std::unique_ptr<intake::Stage> make_filter_stage(std::shared_ptr<const FilterSettings> settings) {
  return std::make_unique<FilterStage>(std::move(settings));
}

}  // namespace vigia::collector::processors::filter
