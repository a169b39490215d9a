// A time of the configuration that has to be one.
#pragma once

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"

namespace vigia::monitor::config {

/// From 1 ms to 7 days; where the key is absent, `fallback`. Notes an error about anything else.
Duration read_positive(const service::ConfigNode& node, Duration fallback);

}  // namespace vigia::monitor::config
