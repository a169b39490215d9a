#include "services/collector/processors/filter/filter_settings.hpp"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "services/collector/processors/edit_body.hpp"
#include "services/collector/processors/filter/match_properties.hpp"
#include "services/collector/processors/programs/read_programs.hpp"

namespace vigia::collector::processors::filter {
namespace {

using ottl::Context;
using programs::ErrorMode;
using programs::ProgramText;
using service::ConfigNode;

struct Section {
  Signal signal;
  const char* newer;  ///< conditions of any context
  const char* older;  ///< lists by context, and include and exclude
};

constexpr std::array<Section, 3> kSections{{{Signal::kTraces, "trace_conditions", "traces"},
                                            {Signal::kMetrics, "metric_conditions", "metrics"},
                                            {Signal::kLogs, "log_conditions", "logs"}}};

struct ContextKey {
  const char* key;
  Context context;
};

constexpr std::array<ContextKey, 6> kContextKeys{{{"resource", Context::kResource},
                                                  {"span", Context::kSpan},
                                                  {"spanevent", Context::kSpanEvent},
                                                  {"metric", Context::kMetric},
                                                  {"datapoint", Context::kPoint},
                                                  {"log_record", Context::kLog}}};

/// Reads what drops items of one signal.
class SignalReader {
 public:
  SignalReader(const Section& section, ErrorMode error_mode, config::Notes& notes)
      : section_(section), error_mode_(error_mode), notes_(notes) {
    budget_.is_fenced = is_fenced;
  }

  /// Each condition goes by its own paths.
  void read_newer(const ConfigNode& list) {
    for (const programs::ProgramTexts& texts :
         programs::read_texts(list, section_.signal, "conditions", error_mode_)) {
      for (const ProgramText& text : texts.conditions) {
        const auto context =
            texts.context ? texts.context : programs::infer_context({text}, {}, section_.signal);
        if (context) add(text, *context, texts.error_mode);
      }
    }
  }
  /// Lists by context, include and exclude. Whether there was any.
  bool read_older(const ConfigNode& node) {
    bool has_any = false;
    for (const auto& [key, context] : kContextKeys) {
      if (!ottl::is_of(context, section_.signal)) continue;
      const ConfigNode list = node.child(key);
      has_any = has_any || list.is_present();
      for (const ProgramText& text : programs::read_text_list(list))
        add(text, context, error_mode_);
    }
    if (section_.signal == Signal::kTraces) return has_any;
    const bool has_match = read_matches(node);
    if (has_any && has_match)
      node.note_error("has include or exclude beside conditions: give one of them");
    return has_any || has_match;
  }
  bool read_matches(const ConfigNode& node) {
    const ConfigNode include = node.child("include");
    const ConfigNode exclude = node.child("exclude");
    if (include.is_present()) add_matches(include, false);
    if (exclude.is_present()) add_matches(exclude, true);
    return include.is_present() || exclude.is_present();
  }
  SignalFilter take() {
    filter_.accesses = budget_.accesses;
    return std::move(filter_);
  }

 private:
  void add(const ProgramText& text, Context context, ErrorMode error_mode) {
    if (auto condition = programs::read_condition(text, context, budget_))
      filter_.of(context).push_back({*std::move(condition), error_mode});
  }
  void add_matches(const ConfigNode& node, bool drops_matches) {
    for (const MatchCondition& match : read_match(node, section_.signal, notes_)) {
      const std::string text = drops_matches ? match.text : fmt::format("not ({})", match.text);
      add({text, node}, match.context, error_mode_);
    }
  }

  const Section& section_;
  const ErrorMode error_mode_;
  config::Notes& notes_;
  ottl::CompileBudget budget_;
  SignalFilter filter_;
};

}  // namespace

FilterSettings read_filter(const ConfigNode& node, const config::PartContext& context) {
  FilterSettings settings;
  settings.id = programs::id_of(node);
  const ErrorMode error_mode = programs::read_error_mode(node, ErrorMode::kIgnore);
  for (const Section& section : kSections) {
    SignalReader reader(section, error_mode, context.notes);
    const ConfigNode newer = node.child(section.newer);
    const ConfigNode older = node.child(section.older);
    reader.read_newer(newer);
    bool has_older = older.is_present() && reader.read_older(older);
    if (section.signal == Signal::kTraces) {
      const ConfigNode spans = node.child("spans");
      has_older = (spans.is_present() && reader.read_matches(spans)) || has_older;
    }
    if (newer.is_present() && has_older)
      newer.note_error(fmt::format("stands beside {}: give one of them", section.older));
    settings.signals[section.signal] = reader.take();
  }
  return settings;
}

}  // namespace vigia::collector::processors::filter
