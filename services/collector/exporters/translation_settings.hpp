// How an exporter turns OTLP into series, from the configuration; and what intake has to hold a
// point to for all of them.
#pragma once

#include <vector>

#include "libs/service/config.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"
#include "services/collector/exporters/exporter_settings.hpp"

namespace vigia::collector::exporters {

/// Reads the keys `translation_strategy`, `add_metric_suffixes`, `ratio_suffix`, `resource_labels`,
/// `resource_to_telemetry_conversion`, `target_info` and `exponential_histograms`.
wire::prometheus::TranslatorSettings read_translation(const service::ConfigNode& node);

/// What makes at least the labels, series and names that each exporter that sends makes: a point
/// that it lets pass has series in all of them, so that nothing is lost after it was acknowledged.
wire::prometheus::TranslatorSettings judging_translation(
    const std::vector<ExporterSettings>& exporters);

/// An exporter's, beside that which intake judges with: only where they are the same do its series
/// count as the customer's active ones, which intake has counted already.
wire::prometheus::TranslatorSettings exported_translation(
    const wire::prometheus::TranslatorSettings& own,
    const wire::prometheus::TranslatorSettings& judging);

}  // namespace vigia::collector::exporters
