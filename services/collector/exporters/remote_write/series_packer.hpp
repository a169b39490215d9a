// Metrics as the series of a remote-write request.
#pragma once

#include <memory>

#include "libs/series/series_cache.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"
#include "services/collector/delivery/packer.hpp"

namespace vigia::collector::exporters::remote_write {

/// What the packer makes of a body, by that translation.
std::unique_ptr<delivery::Packer> make_series_packer(
    wire::prometheus::TranslatorSettings translation, series::SeriesCache& series);

}  // namespace vigia::collector::exporters::remote_write
