// Keys of upstream's remote write exporter that nobody does here.
#pragma once

#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"

namespace vigia::collector::exporters {

/// What would name or label series otherwise than their senders did is an error at its line; what
/// says how they are gathered is told.
void read_other_series_keys(const service::ConfigNode& node, config::Notes& notes);

}  // namespace vigia::collector::exporters
