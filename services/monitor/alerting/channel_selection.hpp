// Which channels a consumer takes, found by trying: one that it refuses costs nobody else's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "services/monitor/channels/channels.hpp"

namespace vigia::monitor::alerting {

/// What a consumer says to a whole configuration.
enum class Verdict : std::uint8_t { kTaken, kRefused, kAway };

/// Makes the consumer load a configuration with these channels and no others.
using TryChannels = std::function<Verdict(const std::vector<channels::ChannelRow>&)>;

struct ChannelSelection {
  std::vector<channels::ChannelRow> taken;    ///< loaded now, unless the consumer is away
  std::vector<channels::ChannelRow> refused;  ///< each refused when it was the only one added
  std::vector<channels::ChannelRow>
      undecided;  ///< the consumer went away, or the tries were used up
  bool is_away = false;
  bool is_whole_refused = false;  ///< it does not even take a configuration without channels
};

/// Loads `proven` first, which were taken before, then finds by halving which of `fresh` are taken
/// beside them. So a new channel never takes one out that works, not even for a moment; where the
/// proven ones are refused, all are looked at anew. At most `tries_max` calls of `attempt`, and one
/// more that loads what was found.
ChannelSelection select_channels(std::vector<channels::ChannelRow> proven,
                                 std::vector<channels::ChannelRow> fresh,
                                 const TryChannels& attempt, std::size_t tries_max);

}  // namespace vigia::monitor::alerting
