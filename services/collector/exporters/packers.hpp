// What the kinds of exporters send: series, or bodies as they came.
#pragma once

#include <memory>

#include "libs/series/series_cache.hpp"
#include "services/collector/delivery/packer.hpp"
#include "services/collector/exporters/exporter_settings.hpp"

namespace vigia::collector::exporters {

/// Metrics as remote-write series, translated by `series`' rules.
std::unique_ptr<delivery::Packer> make_series_packer(const ExporterSettings& settings,
                                                     series::SeriesCache& series);

}  // namespace vigia::collector::exporters
