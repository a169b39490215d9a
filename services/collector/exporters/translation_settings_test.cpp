#include "services/collector/exporters/translation_settings.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::exporters {
namespace {

using wire::prometheus::ExponentialForm;
using wire::prometheus::Strategy;
using wire::prometheus::TranslatorSettings;

Result<TranslatorSettings> read(const std::string& text) {
  auto file = service::ConfigFile::parse(text, "c.yaml");
  EXPECT_TRUE(file.has_value());
  TranslatorSettings settings = read_translation(file->root());
  if (auto finished = file->finish(); !finished) return forward(finished);
  return settings;
}

TEST(TranslationSettings, AreReadByUpstreamsKeys) {
  EXPECT_EQ(*read("{}"), TranslatorSettings{});
  const auto all = read(
      "translation_strategy: NoTranslation\nratio_suffix: false\n"
      "exponential_histograms: classic\ntarget_info: {enabled: false}\n"
      "resource_to_telemetry_conversion: {enabled: true}\nresource_labels: [z, a, z]\n");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->strategy, Strategy::kNone);
  EXPECT_FALSE(all->ratio_suffix);
  EXPECT_EQ(all->exponential, ExponentialForm::kClassic);
  EXPECT_FALSE(all->target_info);
  EXPECT_TRUE(all->all_resource_labels);
  EXPECT_EQ(all->resource_labels, (std::vector<std::string>{"a", "z"}));
}

TEST(TranslationSettings, TheOlderKeyOfSuffixesIsKnown) {
  EXPECT_EQ(read("add_metric_suffixes: false")->strategy, Strategy::kUnderscoresWithoutSuffixes);
  EXPECT_EQ(read("add_metric_suffixes: false\ntranslation_strategy: NoTranslation")->strategy,
            Strategy::kNone);
}

TEST(TranslationSettings, WhatIsNoneIsNamedWithItsLine) {
  EXPECT_EQ(read("translation_strategy: none")
                .error()
                .message.find("c.yaml:1: translation_strategy: is Under"),
            0U);
  EXPECT_EQ(read("exponential_histograms: both").error().message,
            "c.yaml:1: exponential_histograms: is native or classic");
  const auto two = read("translation_strategy: NoTranslation\nadd_metric_suffixes: true");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().message,
            "c.yaml:2: add_metric_suffixes: says another thing than translation_strategy: leave it "
            "out");
}

ExporterSettings exporter(TranslatorSettings translation) {
  ExporterSettings settings;
  settings.makes_series = true;
  settings.translation = std::move(translation);
  return settings;
}

TEST(JudgingTranslation, IsTheExportersWhereAllHaveOne) {
  TranslatorSettings other;
  other.strategy = Strategy::kUtf8WithSuffixes;
  for (const TranslatorSettings& own : {TranslatorSettings{}, other}) {
    const TranslatorSettings judging = judging_translation({exporter(own), exporter(own)});
    EXPECT_EQ(judging, own);
    EXPECT_TRUE(exported_translation(own, judging).counts_active_series);
  }
  EXPECT_EQ(judging_translation({}), TranslatorSettings{});
}

// What one of them would make too much of, intake must see before it answers.
TEST(JudgingTranslation, MakesAtLeastWhatEachExporterMakes) {
  TranslatorSettings utf8;
  utf8.strategy = Strategy::kNone;
  utf8.resource_labels = {"host.name"};
  TranslatorSettings classic;
  classic.exponential = ExponentialForm::kClassic;
  classic.all_resource_labels = true;
  const TranslatorSettings judging = judging_translation({exporter(utf8), exporter(classic)});
  EXPECT_EQ(judging.strategy, Strategy::kUtf8WithSuffixes);
  EXPECT_EQ(judging.strategies, 0b1001);
  EXPECT_EQ(judging.exponential, ExponentialForm::kClassic);
  EXPECT_TRUE(judging.all_resource_labels);
  EXPECT_EQ(judging.resource_labels,
            (std::vector<std::string>{"environment", "host.name", "node.id", "node.region"}));
  EXPECT_FALSE(exported_translation(utf8, judging).counts_active_series);
  ExporterSettings local = exporter(classic);
  local.is_local = true;
  EXPECT_EQ(judging_translation({local}), TranslatorSettings{});
}

}  // namespace
}  // namespace vigia::collector::exporters
