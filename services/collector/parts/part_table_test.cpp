#include "services/collector/parts/part_table.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::collector::parts {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(PartTable, EveryExporterHasAReaderANameOfItsOwnAndStandsInTheHelp) {
  std::set<std::string_view> names;
  const std::string help = help_of_exporters();
  for (const ExporterKind& kind : exporter_kinds()) {
    EXPECT_NE(kind.read, nullptr) << kind.type;
    EXPECT_TRUE(names.insert(kind.type).second) << kind.type;
    EXPECT_TRUE(kind.other_type.empty() || names.insert(kind.other_type).second) << kind.type;
    EXPECT_THAT(help, HasSubstr(std::string(kind.type)));
    EXPECT_THAT(exporters_there_are(), HasSubstr(std::string(kind.type)));
  }
}

TEST(PartTable, APartIsFoundByItsTypeHoweverItIsNamed) {
  EXPECT_EQ(find_exporter("otlp"), find_exporter("otlp/far"));
  EXPECT_EQ(find_exporter("otlp_grpc/far"), find_exporter("otlp"));
  EXPECT_EQ(find_exporter("otlp_http"), find_exporter("otlphttp"));
  EXPECT_EQ(find_exporter("prometheus_remote_write/hot-0"), find_exporter("prometheusremotewrite"));
  EXPECT_EQ(find_exporter("kafka"), nullptr);
  EXPECT_EQ(find_exporter(""), nullptr) << "a kind without another name is not named by nothing";
  EXPECT_NE(find_receiver("otlp/2"), nullptr);
  EXPECT_EQ(find_processor("k8sattributes"), nullptr);
}

TEST(PartTable, WhatThereIsIsASentence) {
  EXPECT_EQ(receivers_there_are(), "otlp and prometheusremotewrite are");
  EXPECT_EQ(processors_there_are(),
            "memory_limiter, batch, attributes, resource, probabilistic_sampler, filter, transform "
            "and tail_sampling are");
  EXPECT_THAT(exporters_there_are(), MatchesRegex("([a-z]+, )+[a-z]+ and [a-z]+ are"));
}

}  // namespace
}  // namespace vigia::collector::parts
