// What becomes of a condition or statement that cannot be run for an item, as files have it.
#pragma once

#include <cstdint>

#include "libs/service/config.hpp"

namespace vigia::collector::processors::programs {

enum class ErrorMode : std::uint8_t {
  kIgnore,    ///< told in the log; the next one is run
  kSilent,    ///< the next one is run
  kPropagate  ///< the request is refused
};

/// `error_mode` of a node; the fallback where there is none.
ErrorMode read_error_mode(const service::ConfigNode& node, ErrorMode fallback);

}  // namespace vigia::collector::processors::programs
