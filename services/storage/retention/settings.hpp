// How long each kind of data is kept.
#pragma once

#include <string>

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"

namespace vigia::storage::retention {

/// 0: for ever.
struct RetentionSettings {
  Duration raw = std::chrono::hours(24 * 400);
  Duration rollup_5m = std::chrono::hours(24 * 730);
  Duration rollup_1h = std::chrono::hours(24 * 730);
  Duration rollup_1d = std::chrono::hours(24 * 730);
  Duration traces = std::chrono::hours(24 * 30);
  Duration logs = std::chrono::hours(24 * 30);
  Duration interval = std::chrono::minutes(10);  ///< how often what is too old is looked for
  /// Keys of the file that are right and change nothing yet, "retention.rollup_5m, …"; "" where it
  /// has none.
  std::string without_effect;
};

/// Of the key `retention`; what cannot be is noted at its key.
RetentionSettings read_retention(const service::ConfigNode& node);

}  // namespace vigia::storage::retention
