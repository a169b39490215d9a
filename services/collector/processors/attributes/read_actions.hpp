// Actions as a configuration has them.
#pragma once

#include <vector>

#include "libs/service/config.hpp"
#include "services/collector/processors/attributes/actions.hpp"

namespace vigia::collector::processors::attributes {

/// Of a list of actions (`actions` of the attributes processor, `attributes` of the resource
/// processor). Mistakes are noted at their line; one that names what says whose data it is, or
/// whose pattern does, is one.
std::vector<Action> read_actions(const service::ConfigNode& list);

}  // namespace vigia::collector::processors::attributes
