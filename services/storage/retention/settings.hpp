// How long each kind of data is kept.
#pragma once

#include <string>

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"

namespace vigia::storage::retention {

/// Of roll-ups of one resolution.
struct RollupKeep {
  Duration keep;
  bool is_made = true;  ///< "off": none are stored
};

/// 0: for ever.
struct RetentionSettings {
  Duration raw = std::chrono::hours(24 * 400);
  RollupKeep rollup_5m{std::chrono::hours(24 * 730)};
  RollupKeep rollup_1h{std::chrono::hours(24 * 730)};
  RollupKeep rollup_1d{std::chrono::hours(24 * 1'825)};
  Duration traces = std::chrono::hours(24 * 30);
  Duration logs = std::chrono::hours(24 * 30);
  Duration interval = std::chrono::minutes(10);  ///< how often what is too old is looked for
};

/// One time; what cannot be is noted at its key.
Duration read_keep(const service::ConfigNode& node, Duration fallback);

/// Of the key `retention`; what cannot be is noted at its key.
RetentionSettings read_retention(const service::ConfigNode& node);

}  // namespace vigia::storage::retention
