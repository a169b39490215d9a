#include "services/agent/telemetry/grid.hpp"

namespace vigia::agent::telemetry {

std::int64_t next_grid_point(std::int64_t now_ns, std::int64_t last_ns, std::int64_t interval_ns) {
  const std::int64_t next = (now_ns / interval_ns + 1) * interval_ns;
  // After a small step back the grid's next point would be one that is sent already: a second
  // sample of one time is refused by stores. After a large one (a clock set right) it is the old
  // grid that is wrong.
  const bool is_small_step_back =
      last_ns != 0 && next <= last_ns && last_ns - next < 2 * interval_ns;
  return is_small_step_back ? last_ns + interval_ns : next;
}

}  // namespace vigia::agent::telemetry
