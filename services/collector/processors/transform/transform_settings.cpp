#include "services/collector/processors/transform/transform_settings.hpp"

#include <array>
#include <utility>

#include "services/collector/processors/edit_body.hpp"
#include "services/collector/processors/programs/read_programs.hpp"

namespace vigia::collector::processors::transform {
namespace {

using programs::ErrorMode;
using service::ConfigNode;

constexpr std::array<std::pair<Signal, const char*>, 3> kKeys{
    {{Signal::kTraces, "trace_statements"},
     {Signal::kMetrics, "metric_statements"},
     {Signal::kLogs, "log_statements"}}};

StatementGroup read_group(const programs::ProgramTexts& texts, ottl::Context context) {
  StatementGroup group;
  group.context = context;
  group.error_mode = texts.error_mode;
  ottl::CompileBudget budget;
  budget.is_fenced = is_fenced;
  for (const programs::ProgramText& text : texts.conditions) {
    if (auto condition = programs::read_condition(text, context, budget))
      group.conditions.push_back(*std::move(condition));
  }
  for (const programs::ProgramText& text : texts.statements) {
    if (auto statement = programs::read_statement(text, context, budget))
      group.statements.push_back(*std::move(statement));
  }
  group.accesses = budget.accesses;
  return group;
}

}  // namespace

TransformSettings read_transform(const ConfigNode& node) {
  TransformSettings settings;
  settings.id = programs::id_of(node);
  const ErrorMode error_mode = programs::read_error_mode(node, ErrorMode::kIgnore);
  for (const auto& [signal, key] : kKeys) {
    std::vector<StatementGroup>& groups = settings.signals[signal];
    for (const programs::ProgramTexts& texts :
         programs::read_texts(node.child(key), signal, "statements", error_mode)) {
      if (texts.statements.empty()) continue;
      const auto context =
          texts.context ? texts.context
                        : programs::infer_context(texts.conditions, texts.statements, signal);
      if (context) groups.push_back(read_group(texts, *context));
    }
  }
  return settings;
}

}  // namespace vigia::collector::processors::transform
