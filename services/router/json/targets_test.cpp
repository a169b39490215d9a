#include "services/router/json/targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::json {
namespace {

using ::testing::HasSubstr;

const std::optional<CustomerId> kA = *CustomerId::parse("a");

constexpr std::string_view kTargets =
    R"({"activeTargets":[{"discoveredLabels":{"__address__":"10.0.0.1:9100","__meta_url":"secret"},)"
    R"("labels":{"customer_id":"a","job":"node"},"scrapePool":"pool","scrapeUrl":"http://10.0.0.1:9100/m",)"
    R"("globalUrl":"http://host:9100/m","lastError":"secret error","lastScrape":"2026-11-30T00:00:00Z",)"
    R"("lastScrapeDuration":0.5,"health":"down","scrapeInterval":"15s","scrapeTimeout":"10s"},)"
    R"({"labels":{"customer_id":"b"},"lastError":""},{"labels":{"job":"own"},"lastError":""}],)"
    R"("droppedTargets":[{"discoveredLabels":{"__address__":"10.0.0.2:9100"}}]})";

bool hides(std::string_view text) { return text.find("secret") != std::string_view::npos; }

TEST(Targets, OfTheCustomerWithoutWhereTheyAre) {
  const auto own = read_targets(kTargets, kA, hides);
  ASSERT_TRUE(own.has_value());
  ASSERT_EQ(own->size(), 1U);
  EXPECT_EQ(own->front(),
            R"({"discoveredLabels":{},"labels":{"customer_id":"a","job":"node"},"scrapePool":"",)"
            R"("scrapeUrl":"","globalUrl":"","lastError":"the target could not be scraped",)"
            R"("lastScrape":"2026-11-30T00:00:00Z","lastScrapeDuration":0.5,"health":"down",)"
            R"("scrapeInterval":"15s","scrapeTimeout":"10s"})");
  const auto shown = read_targets(kTargets, kA, [](std::string_view) { return false; });
  EXPECT_THAT(shown->front(), HasSubstr(R"("lastError":"secret error")"));
}

TEST(Targets, OfEverybodyWhole) {
  const auto all = read_targets(kTargets, std::nullopt, hides);
  ASSERT_EQ(all->size(), 3U);
  EXPECT_THAT(all->front(), HasSubstr("10.0.0.1"));
}

TEST(Targets, AnythingElseIsCorrupt) {
  EXPECT_TRUE(read_targets(R"({"activeTargets":[]})", kA, hides)->empty());
  for (const char* text : {"", "[]", "{}", R"({"activeTargets":[1]})",
                           R"({"activeTargets":[{"labels":{"customer_id":"a"}}]})"}) {
    const auto read = read_targets(text, kA, hides);
    EXPECT_TRUE(!read.has_value() || read->empty()) << text;
  }
  EXPECT_FALSE(read_targets("{}", kA, hides).has_value());
}

}  // namespace
}  // namespace vigia::router::json
