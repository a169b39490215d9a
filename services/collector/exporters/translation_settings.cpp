#include "services/collector/exporters/translation_settings.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace vigia::collector::exporters {
namespace {

using service::ConfigNode;
using wire::prometheus::ExponentialForm;
using wire::prometheus::Strategy;
using wire::prometheus::TranslatorSettings;

std::uint8_t bit(Strategy strategy) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(strategy));
}

void sort_labels(std::vector<std::string>& labels) {
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
}

/// The newer key wins over the older one where both are there and say the same of suffixes.
Strategy read_strategy(const ConfigNode& node) {
  const ConfigNode newer = node.child("translation_strategy");
  const ConfigNode older = node.child("add_metric_suffixes");
  Strategy strategy = Strategy::kUnderscoresWithSuffixes;
  if (newer.is_present()) {
    const std::string text = newer.text();
    const auto named = wire::prometheus::strategy_named(text);
    if (named) {
      strategy = *named;
    } else {
      newer.note_error(
          "is UnderscoreEscapingWithSuffixes, UnderscoreEscapingWithoutSuffixes, "
          "NoUTF8EscapingWithSuffixes or NoTranslation");
    }
  }
  if (!older.is_present()) return strategy;
  const bool are_added = older.boolean(true);
  if (newer.is_present() && are_added != adds_suffixes(strategy))
    older.note_error("says another thing than translation_strategy: leave it out");
  return with_suffixes(strategy, are_added);
}

ExponentialForm read_exponential(const ConfigNode& node) {
  const std::string text = node.text("native");
  if (text != "native" && text != "classic") node.note_error("is native or classic");
  return text == "classic" ? ExponentialForm::kClassic : ExponentialForm::kNative;
}

}  // namespace

TranslatorSettings read_translation(const ConfigNode& node) {
  TranslatorSettings settings;
  settings.strategy = read_strategy(node);
  settings.ratio_suffix = node.child("ratio_suffix").boolean(true);
  settings.exponential = read_exponential(node.child("exponential_histograms"));
  settings.target_info = node.child("target_info").child("enabled").boolean(true);
  settings.all_resource_labels =
      node.child("resource_to_telemetry_conversion").child("enabled").boolean(false);
  if (auto labels = node.child("resource_labels").text_list(); !labels.empty()) {
    sort_labels(labels);
    settings.resource_labels = std::move(labels);
  }
  return settings;
}

TranslatorSettings judging_translation(const std::vector<ExporterSettings>& exporters) {
  TranslatorSettings judging;
  std::uint8_t strategies = 0;
  bool keeps_names = false;
  bool has_suffixes = false;
  for (const ExporterSettings& exporter : exporters) {
    const TranslatorSettings& own = exporter.translation;
    if (exporter.is_local || !exporter.makes_series) continue;
    strategies |= bit(own.strategy);
    keeps_names |= keeps_utf8(own.strategy);
    has_suffixes |= adds_suffixes(own.strategy);
    judging.all_resource_labels |= own.all_resource_labels;
    judging.ratio_suffix &= own.ratio_suffix;
    if (own.exponential == ExponentialForm::kClassic) judging.exponential = own.exponential;
    judging.resource_labels.insert(judging.resource_labels.end(), own.resource_labels.begin(),
                                   own.resource_labels.end());
  }
  sort_labels(judging.resource_labels);
  if (strategies == 0) return judging;
  // With UTF-8 kept no two keys become one label, and no name becomes shorter.
  judging.strategy = with_suffixes(keeps_names ? Strategy::kNone : judging.strategy, has_suffixes);
  // Of one alone nothing more has to be looked at, and its entries in the cache are intake's.
  if (strategies != bit(judging.strategy)) judging.strategies = strategies;
  return judging;
}

TranslatorSettings exported_translation(const TranslatorSettings& own,
                                        const TranslatorSettings& judging) {
  TranslatorSettings settings = own;
  if (settings.strategy == judging.strategy) settings.strategies = judging.strategies;
  TranslatorSettings alike = settings;
  alike.exponential = judging.exponential;
  settings.counts_active_series = alike == judging;
  settings.counts_classic = settings.exponential == judging.exponential;
  return settings;
}

}  // namespace vigia::collector::exporters
