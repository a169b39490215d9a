// What of a customer's samples the long-term store says will not change unnoticed.
#pragma once

#include <string>

#include "libs/model/sample.hpp"

namespace vigia::router::coverage {

/// As storage says it (GET /api/v1/retention). What was read after it was told, of times up to the
/// edge, is what would be read now for as long as the same state is told.
struct Past {
  TimestampMs edge_ms = 0;
  std::string state;
};

}  // namespace vigia::router::coverage
