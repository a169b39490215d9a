// A node's own health as text for Prometheus (text format 0.0.4): read from what the node answers,
// and written anew, for nodes that are asked and for nodes that push.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "libs/net/message.hpp"
#include "services/monitor/live/agent_series.hpp"

namespace vigia::monitor::internal_port {

/// What a node's answer holds.
struct HealthText {
  live::AgentHealth series;
  std::size_t lines_unknown = 0;    ///< left out: no series of an agent, or no finite number
  std::size_t lines_repeated = 0;   ///< left out: the series was there already
  std::size_t lines_malformed = 0;  ///< left out: no line of the format
  std::size_t lines_read = 0;       ///< with a sample, whether it was taken or not

  /// False where nothing of the format stands among what is there.
  bool is_text() const { return lines_read > 0 || lines_malformed == 0; }
};

/// Reads any bytes; a line that is wrong is left out alone. Of a line's labels the one that its
/// name has is read; times, comments, types and what a metric is said to mean are passed over. Time
/// and memory: in proportion to the text, and a fixed size.
HealthText read_health_text(std::string_view text);

/// Each series in a line, below the type of its name; the same series give the same text. The
/// numbers are as they were, to the last bit.
std::string health_text(const live::AgentHealth& health);

/// 200 with that text.
net::Response health_response(const live::AgentHealth& health);

}  // namespace vigia::monitor::internal_port
