// What a heartbeat keeps over a restart, as it lies on disk: docs/formats/heartbeat.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libs/model/ids.hpp"

namespace vigia::collector::marks {

/// Minutes are since 1970.
struct HeartbeatState {
  std::int64_t last_minute = 0;               ///< marked last; 0: none yet
  std::uint64_t lost = 0;                     ///< of the log's, a hole stands for these
  std::int64_t hole_until = 0;                ///< no minute up to this one is marked
  std::map<CustomerId, std::int64_t> losses;  ///< the last minute of each hole not written yet
};

/// The file's content: a head with version, checksum and size, then the state.
std::string write_heartbeat_state(const HeartbeatState& state);
/// Nothing where the file is empty, cut, changed, of an unknown version, or, being older than the
/// head, does not parse whole.
std::optional<HeartbeatState> read_heartbeat_state(std::string_view file);

}  // namespace vigia::collector::marks
