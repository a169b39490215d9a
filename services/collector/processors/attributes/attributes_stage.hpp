// The processors `attributes` and `resource`.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "libs/model/signal.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/intake/stage.hpp"
#include "services/collector/processors/attributes/actions.hpp"
#include "services/collector/processors/attributes/matcher.hpp"

namespace vigia::collector::processors::attributes {

struct AttributesSettings {
  std::vector<Action> actions;
  std::optional<PropertiesMatcher> include;  ///< nothing: all
  std::optional<PropertiesMatcher> exclude;  ///< of what is included; nothing: none
};

/// `attributes`: changes those of points, spans and log records.
AttributesSettings read_attributes_processor(const service::ConfigNode& node,
                                             const std::set<Signal>& signals, config::Notes& notes);
std::unique_ptr<intake::Stage> make_attributes_stage(AttributesSettings settings);

/// `resource`: changes those of resources.
std::vector<Action> read_resource_processor(const service::ConfigNode& node);
std::unique_ptr<intake::Stage> make_resource_stage(std::vector<Action> actions);

}  // namespace vigia::collector::processors::attributes
