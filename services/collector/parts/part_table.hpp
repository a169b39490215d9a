// Every kind of part that a configuration may name, a row each: what reads it, what it takes, and
// how it is explained. Another kind is a folder and a row.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/exporters/exporter.hpp"
#include "services/collector/memory_limiter/settings.hpp"
#include "services/collector/parts/processor_stages.hpp"
#include "services/collector/receivers/settings.hpp"
#include "services/collector/tail_sampling/settings.hpp"

namespace vigia::collector::parts {

/// What every row has.
struct PartKind {
  std::string_view type;  ///< "otlp" of "otlp/2"
  /// Its lines of --help, each with its indentation and its end; "" where another row's say it too.
  std::string_view help;
};

struct ReceiverKind : PartKind {
  bool takes_metrics_only = false;
  std::vector<receivers::ReceiverSettings> (*read)(const service::ConfigNode& node,
                                                   const std::string& id, config::Notes& notes);
};

/// What those processors are to do that have no stage.
struct ProcessorSettings {
  memory_limiter::MemoryLimiterSettings memory_limiter;
  /// By the place of a batch processor ("processors.batch/2"): how many items it lets into one
  /// request. Not among them: as many as is usual.
  std::map<std::string, std::uint32_t> batch_items_max;
  /// By the processor's place too; those that a pipeline names.
  std::map<std::string, tail_sampling::TailSamplingSettings> tail_sampling;
};

struct ProcessorKind : PartKind {
  /// `signals`: of the pipelines that name it. Of one that none names the mistakes are told all the
  /// same.
  MakeStage (*read)(const service::ConfigNode& node, const std::set<Signal>& signals,
                    ProcessorSettings& settings, const config::PartContext& context);
};

struct ExporterKind : PartKind {
  std::string_view other_type;  ///< that upstream has given it since; "": none
  bool takes_metrics_only = false;
  exporters::MakeExporter (*read)(const service::ConfigNode& node,
                                  exporters::ExporterSettings& settings,
                                  const config::PartContext& context);
};

std::span<const ExporterKind> exporter_kinds();

/// The row of the part with that id; null where there is none.
const ReceiverKind* find_receiver(std::string_view id);
const ProcessorKind* find_processor(std::string_view id);
const ExporterKind* find_exporter(std::string_view id);

/// "otlp is", "memory_limiter and batch are": what may stand there instead.
std::string receivers_there_are();
std::string processors_there_are();
std::string exporters_there_are();

/// Of --help, the receivers', processors' and exporters' lines.
std::string help_of_receivers();
std::string help_of_processors();
std::string help_of_exporters();

}  // namespace vigia::collector::parts
