// The processor `filter`: drops items for which a condition is met.
#pragma once

#include <memory>

#include "services/collector/intake/stage.hpp"
#include "services/collector/processors/filter/filter_settings.hpp"

namespace vigia::collector::processors::filter {

/// Shared by the stages of all signals. What goes is counted as filtered; an event that goes is no
/// item. With its last item a metric, a scope, a resource goes as well.
std::unique_ptr<intake::Stage> make_filter_stage(std::shared_ptr<const FilterSettings> settings);

}  // namespace vigia::collector::processors::filter
