#include "services/router/coverage/cold_replacement.hpp"

#include <fmt/format.h>

#include "services/router/request/times.hpp"

namespace vigia::router::coverage {

std::string ColdReplacement::text() const {
  if (!new_since_ms)
    return "the cold store is not the one that was known: what it lacks is unknown";
  return fmt::format("the cold store is new since {}: what was before is not in it",
                     request::format_time(*new_since_ms));
}

}  // namespace vigia::router::coverage
