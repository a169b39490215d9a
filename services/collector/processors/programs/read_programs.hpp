// Lists of conditions and statements, as files have them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/model/signal.hpp"
#include "libs/ottl/program.hpp"
#include "libs/service/config.hpp"
#include "services/collector/processors/programs/error_mode.hpp"

namespace vigia::collector::processors::programs {

/// One text and where it stands.
struct ProgramText {
  std::string text;
  service::ConfigNode node;
};

/// One item of `trace_statements`, `log_conditions`, …; of a flat list of texts there is one.
struct ProgramTexts {
  std::optional<ottl::Context> context;  ///< nothing: it goes by the paths
  ErrorMode error_mode = ErrorMode::kIgnore;
  std::vector<ProgramText> conditions;
  std::vector<ProgramText> statements;
  service::ConfigNode node;
};

/// Reads a list of texts, or of maps {context, error_mode, conditions, statements}; `flat_key` says
/// which of the two a flat list has. Mistakes are noted at their line.
std::vector<ProgramTexts> read_texts(const service::ConfigNode& list, Signal signal,
                                     std::string_view flat_key, ErrorMode error_mode);
/// A processor's id, "filter/noise", of its node.
std::string id_of(const service::ConfigNode& node);

/// A list of texts.
std::vector<ProgramText> read_text_list(const service::ConfigNode& list);

/// The context that all the texts are of; noted where there is none.
std::optional<ottl::Context> infer_context(const std::vector<ProgramText>& conditions,
                                           const std::vector<ProgramText>& statements,
                                           Signal signal);

/// Compiled; noted, and nothing, where it is none.
std::optional<ottl::Condition> read_condition(const ProgramText& text, ottl::Context context,
                                              ottl::CompileBudget& budget);
std::optional<ottl::Statement> read_statement(const ProgramText& text, ottl::Context context,
                                              ottl::CompileBudget& budget);

}  // namespace vigia::collector::processors::programs
