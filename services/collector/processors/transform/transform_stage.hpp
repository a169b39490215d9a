// The processor `transform`: runs statements over items.
#pragma once

#include <memory>

#include "services/collector/intake/stage.hpp"
#include "services/collector/processors/transform/transform_settings.hpp"

namespace vigia::collector::processors::transform {

/// Shared by the stages of all signals.
std::unique_ptr<intake::Stage> make_transform_stage(
    std::shared_ptr<const TransformSettings> settings);

}  // namespace vigia::collector::processors::transform
