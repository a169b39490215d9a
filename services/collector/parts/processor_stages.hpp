// Which processors a request passes: the lists of the pipelines of its signal, as stages of intake.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "libs/model/signal.hpp"
#include "services/collector/intake/stage.hpp"

namespace vigia::collector::parts {

/// Makes a processor's stage, one for each signal that has it. An empty function: the processor has
/// none, since another part does its work (memory_limiter, batch).
using MakeStage = std::function<std::unique_ptr<intake::Stage>()>;

/// By the processor's id. What is not among them is not known.
using StageMakers = std::map<std::string, MakeStage>;

/// The list of one pipeline, as the file has it.
struct PipelineProcessors {
  std::string pipeline;  ///< its name: "metrics/2"
  Signal signal = Signal::kMetrics;
  std::vector<std::string> ids;
};

/// A processor that works as a stage of intake.
struct ConfiguredStage {
  std::string id;
  Signal signal = Signal::kMetrics;
  MakeStage make;
};

/// Two pipelines of one signal whose stages are not the same, in the same order.
struct UnlikeLists {
  std::string pipeline;  ///< the one that stands further down
  std::string message;
};

/// The stages of each signal in the order of its pipelines' lists; processors without a stage may
/// stand anywhere. Pipelines of one signal share a log, whose body only one list can make
/// (docs/decisions/0012-processors-stand-before-the-log.md).
tl::expected<std::vector<ConfiguredStage>, UnlikeLists> order_stages(
    std::span<const PipelineProcessors> pipelines, const StageMakers& makers);

/// What intake takes: each stage sees the requests of its signal alone.
std::vector<std::unique_ptr<intake::Stage>> make_stages(std::span<const ConfiguredStage> stages);

}  // namespace vigia::collector::parts
