#include "services/collector/processors/attributes/attributes_stage.hpp"

#include <utility>

#include "services/collector/processors/attributes/read_actions.hpp"
#include "services/collector/processors/edit_body.hpp"

namespace vigia::collector::processors::attributes {
namespace {

using wire::edit::Editable;
using wire::edit::EditPlace;
using wire::edit::Fate;

/// Works on the items of one request: what is known of a resource, a scope or a metric decides for
/// all that stands in it.
class ItemEditor final : public wire::edit::Editor {
 public:
  ItemEditor(Signal signal, const AttributesSettings& settings)
      : signal_(signal), settings_(settings) {}

  Fate on_resource(const EditPlace& place) override {
    if (settings_.include && !settings_.include->matches_resource(place.resource))
      return Fate::kPass;
    may_exclude_resource_ =
        settings_.exclude && settings_.exclude->matches_resource(place.resource);
    return Fate::kKeep;
  }

  Fate on_scope(const EditPlace& place) override {
    if (settings_.include && !settings_.include->matches_scope(place.scope)) return Fate::kPass;
    may_exclude_ = may_exclude_resource_ && settings_.exclude->matches_scope(place.scope);
    return Fate::kKeep;
  }

  Fate on_metric(const EditPlace& place) override {
    if (settings_.include && !settings_.include->matches_metric(place.metric)) return Fate::kPass;
    const bool is_excluded = may_exclude_ && settings_.exclude->matches_metric(place.metric);
    return is_excluded ? Fate::kPass : Fate::kKeep;
  }

  Fate on_item(const EditPlace& /*place*/, Editable& item) override {
    if (signal_ != Signal::kMetrics && !is_taken(item)) return Fate::kKeep;
    apply_actions(settings_.actions, item);
    return Fate::kKeep;
  }

 private:
  bool is_taken(Editable& item) const {
    if (settings_.include && !settings_.include->matches_item(signal_, item)) return false;
    return !may_exclude_ || !settings_.exclude->matches_item(signal_, item);
  }

  const Signal signal_;
  const AttributesSettings& settings_;
  bool may_exclude_resource_ = false;
  bool may_exclude_ = false;
};

class ResourceEditor final : public wire::edit::Editor {
 public:
  explicit ResourceEditor(const std::vector<Action>& actions) : actions_(actions) {}
  Fate on_resource(const EditPlace& place) override {
    apply_actions(actions_, place.resource);
    return Fate::kPass;
  }

 private:
  const std::vector<Action>& actions_;
};

class AttributesStage final : public intake::Stage {
 public:
  explicit AttributesStage(AttributesSettings settings) : settings_(std::move(settings)) {}
  std::optional<intake::Refusal> accept(intake::Batch& batch) override {
    ItemEditor editor(batch.request.signal, settings_);
    return edit_body(batch, editor);
  }

 private:
  const AttributesSettings settings_;
};

class ResourceStage final : public intake::Stage {
 public:
  explicit ResourceStage(std::vector<Action> actions) : actions_(std::move(actions)) {}
  std::optional<intake::Refusal> accept(intake::Batch& batch) override {
    ResourceEditor editor(actions_);
    return edit_body(batch, editor);
  }

 private:
  const std::vector<Action> actions_;
};

}  // namespace

AttributesSettings read_attributes_processor(const service::ConfigNode& node,
                                             const std::set<Signal>& signals,
                                             config::Notes& notes) {
  AttributesSettings settings;
  settings.actions = read_actions(node.child("actions"));
  if (const auto include = node.child("include"); include.is_present())
    settings.include = PropertiesMatcher::read(include, signals, notes);
  if (const auto exclude = node.child("exclude"); exclude.is_present())
    settings.exclude = PropertiesMatcher::read(exclude, signals, notes);
  return settings;
}

std::unique_ptr<intake::Stage> make_attributes_stage(AttributesSettings settings) {
  return std::make_unique<AttributesStage>(std::move(settings));
}

std::vector<Action> read_resource_processor(const service::ConfigNode& node) {
  return read_actions(node.child("attributes"));
}

std::unique_ptr<intake::Stage> make_resource_stage(std::vector<Action> actions) {
  return std::make_unique<ResourceStage>(std::move(actions));
}

}  // namespace vigia::collector::processors::attributes
