// What the configuration says of one exporter, whatever its kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/model/signal.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"

namespace vigia::collector::exporters {

struct ExporterSettings {
  std::string id;               ///< as configured: "prometheusremotewrite/hot-0"; label `exporter`
  std::string name;             ///< what follows the slash, or ""
  bool is_local = false;        ///< its kind only shows what comes: holds nothing in the log back
  bool makes_series = false;    ///< its kind turns metrics into series
  bool may_be_shard = false;    ///< its kind can serve a hot shard
  std::string hot_shard;        ///< takes only the records whose route it is; "": all
  bool required = false;        ///< its cursor holds the log back
  Duration max_age{0};          ///< records older than this are skipped, counted; 0: never
  std::vector<Signal> signals;  ///< whose pipelines name it
  /// In one request, as the batch processors of its pipelines say: spans, records, points sent as
  /// OTLP, values of series. 0: what is usual.
  std::uint32_t request_items_max = 0;
  /// Of metrics to series, where its kind makes series.
  wire::prometheus::TranslatorSettings translation = {};
};

}  // namespace vigia::collector::exporters
