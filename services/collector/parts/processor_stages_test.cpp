#include "services/collector/parts/processor_stages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::collector::parts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A processor as another kind would be: it writes its name into the body.
class Naming final : public intake::Stage {
 public:
  explicit Naming(std::string name) : name_(std::move(name)) {}
  std::optional<intake::Refusal> accept(intake::Batch& batch) override {
    batch.request.body += name_;
    return std::nullopt;
  }

 private:
  std::string name_;
};

MakeStage naming(std::string name) {
  return [name = std::move(name)] { return std::make_unique<Naming>(name); };
}

const StageMakers& makers() {
  static const StageMakers made{{"memory_limiter", nullptr},
                                {"batch", nullptr},
                                {"attributes", naming("a")},
                                {"filter/2", naming("f")}};
  return made;
}

std::vector<std::string> text_of(const std::vector<ConfiguredStage>& stages) {
  std::vector<std::string> text;
  for (const ConfiguredStage& stage : stages)
    text.push_back(std::string(to_string(stage.signal)) + " " + stage.id);
  return text;
}

TEST(ProcessorStages, StandInTheOrderOfThePipelinesAndNotOfTheirDescription) {
  const std::vector<PipelineProcessors> pipelines{
      {"metrics", Signal::kMetrics, {"memory_limiter", "filter/2", "attributes", "batch"}},
      {"logs", Signal::kLogs, {"attributes"}},
      {"traces", Signal::kTraces, {"batch"}}};
  const auto stages = order_stages(pipelines, makers());
  ASSERT_TRUE(stages.has_value()) << stages.error().message;
  EXPECT_THAT(text_of(*stages),
              ElementsAre("metrics filter/2", "metrics attributes", "logs attributes"));
}

TEST(ProcessorStages, WhatHasNoStageMakesNoListUnlike) {
  const std::vector<PipelineProcessors> pipelines{
      {"metrics", Signal::kMetrics, {"memory_limiter", "attributes"}},
      {"metrics/2", Signal::kMetrics, {"attributes", "batch"}}};
  const auto stages = order_stages(pipelines, makers());
  ASSERT_TRUE(stages.has_value()) << stages.error().message;
  EXPECT_THAT(text_of(*stages), ElementsAre("metrics attributes"));
}

TEST(ProcessorStages, UnlikeListsOfOneSignalAreRefusedWithBoth) {
  const std::vector<std::vector<std::string>> others{
      {}, {"attributes"}, {"attributes", "filter/2"}, {"filter/2", "attributes", "attributes"}};
  for (const auto& other : others) {
    const std::vector<PipelineProcessors> pipelines{
        {"logs", Signal::kLogs, {"filter/2", "attributes"}}, {"logs/2", Signal::kLogs, other}};
    const auto stages = order_stages(pipelines, makers());
    ASSERT_FALSE(stages.has_value());
    EXPECT_EQ(stages.error().pipeline, "logs/2");
    EXPECT_THAT(stages.error().message, HasSubstr("logs has [filter/2, attributes]"));
  }
}

TEST(ProcessorStages, NoPipelineHasNone) {
  const auto stages = order_stages({}, makers());
  ASSERT_TRUE(stages.has_value());
  EXPECT_THAT(*stages, IsEmpty());
}

TEST(ProcessorStages, EachSeesTheRequestsOfItsSignalAlone) {
  const std::vector<PipelineProcessors> pipelines{
      {"metrics", Signal::kMetrics, {"attributes", "filter/2"}},
      {"logs", Signal::kLogs, {"filter/2"}}};
  const auto stages = make_stages(*order_stages(pipelines, makers()));
  const tenancy::Customer customer{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  const auto body_after = [&](Signal signal) {
    intake::Batch batch{customer, {signal, "grpc", "-"}};
    for (const auto& stage : stages) EXPECT_FALSE(stage->accept(batch).has_value());
    return batch.request.body;
  };
  EXPECT_EQ(body_after(Signal::kMetrics), "-af");
  EXPECT_EQ(body_after(Signal::kLogs), "-f");
  EXPECT_EQ(body_after(Signal::kTraces), "-");
}

}  // namespace
}  // namespace vigia::collector::parts
