// Metrics as the series of a remote-write request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/series/series_cache.hpp"
#include "services/collector/delivery/packer.hpp"

namespace vigia::collector::exporters::remote_write {

/// Translated by `series`' rules. `resource_labels`: those of the resource that become labels of
/// each series; empty: the default list.
std::unique_ptr<delivery::Packer> make_series_packer(
    const std::vector<std::string>& resource_labels, series::SeriesCache& series);

}  // namespace vigia::collector::exporters::remote_write
