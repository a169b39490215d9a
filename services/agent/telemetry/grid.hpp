// The grid of sample times: multiples of the interval since 1970, so that all nodes sample at the
// same instants and time stamps compress.
#pragma once

#include <cstdint>

namespace vigia::agent::telemetry {

/// The first grid point after `now_ns`. Not the one of `last_ns` again where the clock was set back
/// by less than two intervals; after a larger step back it is simply the clock's. `last_ns` 0: none
/// yet.
std::int64_t next_grid_point(std::int64_t now_ns, std::int64_t last_ns, std::int64_t interval_ns);

}  // namespace vigia::agent::telemetry
