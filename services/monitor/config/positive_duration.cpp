#include "services/monitor/config/positive_duration.hpp"

namespace vigia::monitor::config {

Duration read_positive(const service::ConfigNode& node, Duration fallback) {
  constexpr Duration kMost = std::chrono::hours(24 * 7);
  const auto value = node.duration(fallback);
  if (value <= Duration::zero() || value > kMost) node.note_error("from 1ms to 7d");
  return value;
}

}  // namespace vigia::monitor::config
