#include "services/router/json/metadata.hpp"

#include <gtest/gtest.h>

namespace vigia::router::json {
namespace {

const std::optional<CustomerId> kA = *CustomerId::parse("a");
const std::optional<CustomerId> kEveryone;

constexpr std::string_view kTargets =
    R"([{"target":{"customer_id":"a"},"metric":"up","type":"gauge","help":"h\"","unit":""},)"
    R"({"target":{"customer_id":"a","job":"k"},"metric":"up","type":"gauge","help":"h\"","unit":""},)"
    R"({"target":{"customer_id":"b"},"metric":"up","type":"counter","help":"of b","unit":""},)"
    R"({"target":{"job":"own"},"metric":"y","type":"gauge","help":"nobody's","unit":""},)"
    R"({"target":{"customer_id":"a"},"metric":"z","type":"counter","help":"","unit":"s"}])";

std::string written(const Result<MetricMetadata>& metadata, const MetadataLimits& limits = {}) {
  if (!metadata) return metadata.error().message;
  std::string out;
  const bool is_whole = metadata->write(limits, out);
  return is_whole ? out : out + " and more";
}

TEST(MetricMetadata, OfTheCustomersTargetsAlone) {
  EXPECT_EQ(written(MetricMetadata::read_targets(kTargets, kA, "")),
            R"({"up":[{"type":"gauge","help":"h\"","unit":""}],)"
            R"("z":[{"type":"counter","help":"","unit":"s"}]})");
  EXPECT_EQ(written(MetricMetadata::read_targets(kTargets, kEveryone, "")),
            R"({"up":[{"type":"counter","help":"of b","unit":""},)"
            R"({"type":"gauge","help":"h\"","unit":""}],)"
            R"("y":[{"type":"gauge","help":"nobody's","unit":""}],)"
            R"("z":[{"type":"counter","help":"","unit":"s"}]})");
  EXPECT_EQ(written(MetricMetadata::read_targets("[]", kA, "")), "{}");
  EXPECT_EQ(written(MetricMetadata::read_targets(
                R"([{"metric":"up","type":"gauge","help":"","unit":""}])", kEveryone, "")),
            R"({"up":[{"type":"gauge","help":"","unit":""}]})");
}

// D-F3: every metric that was asked for by name was 503.
TEST(MetricMetadata, OfAMetricThatWasAskedForTheNameIsNotRepeated) {
  constexpr std::string_view kOne =
      R"([{"target":{"customer_id":"a"},"type":"gauge","help":"h","unit":"s"},)"
      R"({"target":{"customer_id":"a"},"type":"counter","help":"h","unit":"s"}])";
  const auto found = MetricMetadata::read_targets(kOne, kA, "up");
  EXPECT_EQ(
      written(found),
      R"({"up":[{"type":"counter","help":"h","unit":"s"},{"type":"gauge","help":"h","unit":"s"}]})");
  EXPECT_EQ(written(found, {.each = 1}), R"({"up":[{"type":"counter","help":"h","unit":"s"}]})");
  EXPECT_EQ(written(MetricMetadata::read_targets("[]", kA, "up")), "{}");
  EXPECT_FALSE(MetricMetadata::read_targets(kOne, kA, "").has_value());
}

TEST(MetricMetadata, OfSeveralStoresEachThingOnce) {
  auto merged = MetricMetadata::read_targets(kTargets, kA, "");
  const auto cold = MetricMetadata::read(
      R"({"up":[{"help":"h\"","type":"gauge","unit":""},{"type":"gauge","help":"x","unit":""}],)"
      R"("a":[{"type":"unknown","help":"","unit":""}]})");
  ASSERT_TRUE(merged && cold);
  const std::size_t before = merged->bytes();
  merged->add(*cold);
  EXPECT_GT(merged->bytes(), before);
  EXPECT_EQ(
      written(merged),
      R"({"a":[{"type":"unknown","help":"","unit":""}],)"
      R"("up":[{"type":"gauge","help":"h\"","unit":""},{"type":"gauge","help":"x","unit":""}],)"
      R"("z":[{"type":"counter","help":"","unit":"s"}]})");
  EXPECT_EQ(written(merged, {.metrics = 2, .each = 1}),
            R"({"a":[{"type":"unknown","help":"","unit":""}],)"
            R"("up":[{"type":"gauge","help":"h\"","unit":""}]} and more)");
  EXPECT_EQ(written(merged, {.metrics = 0}), "{} and more");
  EXPECT_EQ(written(merged, {.metrics = 3}), written(merged));
}

TEST(MetricMetadata, AnythingElseIsCorrupt) {
  for (const auto* text : {"", "[]", R"({"up":{}})", R"({"up":[{"type":"gauge"}]})", "null"}) {
    EXPECT_FALSE(MetricMetadata::read(text).has_value()) << text;
  }
  for (const auto* text : {"", "{}", "[1]", R"([{"target":{"customer_id":"a"},"metric":"up"}])"}) {
    EXPECT_FALSE(MetricMetadata::read_targets(text, kA, "").has_value()) << text;
  }
}

}  // namespace
}  // namespace vigia::router::json
