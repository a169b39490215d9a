// What of a collector's room and rights its deltas have.
#pragma once

#include <optional>
#include <vector>

#include "libs/disk_log/disk_log.hpp"
#include "services/collector/intake/delta_settings.hpp"
#include "services/collector/settings.hpp"

namespace vigia::collector {

/// Nothing where nobody may add them up: a part of a stream would come here, the rest elsewhere.
std::optional<intake::DeltaSettings> delta_settings(const Settings& settings);
/// The one that keeps of the disk log what lies behind the last checkpoint, where there is to be
/// one.
void add_deltas_cursor(const Settings& settings, std::vector<disk_log::CursorSettings>& cursors);

}  // namespace vigia::collector
