#include "services/collector/processors/programs/error_mode.hpp"

namespace vigia::collector::processors::programs {

ErrorMode read_error_mode(const service::ConfigNode& node, ErrorMode fallback) {
  const service::ConfigNode key = node.child("error_mode");
  if (!key.is_present()) return fallback;
  const std::string text = key.text();
  if (text == "ignore") return ErrorMode::kIgnore;
  if (text == "silent") return ErrorMode::kSilent;
  if (text == "propagate") return ErrorMode::kPropagate;
  key.note_error("an error_mode is ignore, silent or propagate");
  return fallback;
}

}  // namespace vigia::collector::processors::programs
