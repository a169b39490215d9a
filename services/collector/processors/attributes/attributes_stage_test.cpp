#include "services/collector/processors/attributes/attributes_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/edit/value.hpp"
#include "services/collector/testing/otlp_requests.hpp"

namespace vigia::collector::processors::attributes {
namespace {

using collector::testing::MetricsBody;
using ::testing::ElementsAre;
using wire::edit::EditPlace;
using wire::edit::Fate;

/// Lists what a body holds: metric, and the attribute of its points or resource of that key.
class Listing final : public wire::edit::Editor {
 public:
  explicit Listing(std::string key) : key_(std::move(key)) {}
  Fate on_item(const EditPlace& place, wire::edit::Editable& item) override {
    lines.push_back(std::string(place.metric.bytes(wire::otlp::MetricField::kName)) + " " +
                    text(place.resource) + " " + text(item));
    return Fate::kKeep;
  }
  std::vector<std::string> lines;

 private:
  std::string text(wire::edit::Editable& message) const {
    const auto value = message.attribute(key_);
    return value ? std::string(wire::edit::read_value(*value).bytes) : "-";
  }
  std::string key_;
};

class AttributesStageTest : public ::testing::Test {
 protected:
  std::vector<std::string> after(const std::string& yaml, bool is_resource = false) {
    const auto file = service::ConfigFile::parse(yaml, "c.yaml");
    config::Notes notes;
    auto stage = is_resource ? make_resource_stage(read_resource_processor(file->root()))
                             : make_attributes_stage(read_attributes_processor(
                                   file->root(), {Signal::kMetrics}, notes));
    EXPECT_TRUE(file->finish().has_value()) << file->finish().error().message;
    intake::Batch batch{customer_, {Signal::kMetrics, "grpc", body_}};
    EXPECT_FALSE(stage->accept(batch).has_value());
    is_same_ = batch.request.body == body_;
    Listing listing("k");
    EXPECT_TRUE(wire::edit::edit(Signal::kMetrics, batch.request.body, listing).has_value());
    return listing.lines;
  }

  const tenancy::Customer customer_{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  const std::string body_ = MetricsBody()
                                .resource("cliente-a", {{"k", "first"}})
                                .gauge("cpu", 1, {{"k", "x"}})
                                .gauge("memory", 1)
                                .histogram("latency", 1)
                                .resource("cliente-a")
                                .gauge("cpu", 1)
                                .bytes();
  bool is_same_ = false;
};

TEST_F(AttributesStageTest, ChangesPointsOfEveryKind) {
  EXPECT_THAT(after("actions: [{key: k, value: new, action: upsert}]"),
              ElementsAre("cpu first new", "memory first new", "latency first new", "cpu - new"));
}

TEST_F(AttributesStageTest, IncludeAndExcludeDecideByResourceAndMetric) {
  EXPECT_THAT(after("include: {match_type: strict, resources: [{key: k}]}\n"
                    "exclude: {match_type: strict, metric_names: [memory]}\n"
                    "actions: [{key: k, value: new, action: upsert}]"),
              ElementsAre("cpu first new", "memory first -", "latency first new", "cpu - -"));
  EXPECT_THAT(after("include: {match_type: regexp, metric_names: ['^c']}\n"
                    "exclude: {match_type: strict, resources: [{key: k, value: first}]}\n"
                    "actions: [{key: k, value: new, action: upsert}]"),
              ElementsAre("cpu first x", "memory first -", "latency first -", "cpu - new"));
}

TEST_F(AttributesStageTest, WhatNothingIsDoneToStaysByteForByte) {
  after(
      "include: {match_type: strict, metric_names: [none]}\n"
      "actions: [{key: k, value: new, action: upsert}]");
  EXPECT_TRUE(is_same_);
}

TEST_F(AttributesStageTest, TheResourceProcessorChangesResources) {
  EXPECT_THAT(after("attributes: [{key: k, value: new, action: upsert}]", true),
              ElementsAre("cpu new x", "memory new -", "latency new -", "cpu new -"));
  EXPECT_THAT(after("attributes: [{key: k, action: delete}]", true),
              ElementsAre("cpu - x", "memory - -", "latency - -", "cpu - -"));
}

TEST_F(AttributesStageTest, WhatIsNoRequestIsRefused) {
  auto stage = make_resource_stage({});
  intake::Batch batch{customer_, {Signal::kLogs, "http", "\x0a\x7f"}};
  const auto refusal = stage->accept(batch);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->error.code, ErrorCode::kInvalid);
  EXPECT_TRUE(refusal->is_fined);
}

}  // namespace
}  // namespace vigia::collector::processors::attributes
