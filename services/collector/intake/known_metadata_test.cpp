#include "services/collector/intake/known_metadata.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::intake {
namespace {

class KnownMetadataTest : public ::testing::Test {
 protected:
  std::string help_of(std::string_view metric, const CustomerId& customer) {
    const auto table = known_.of(customer);
    const auto* said = table ? series::find_metadata(*table, metric) : nullptr;
    return said == nullptr ? "" : said->help;
  }
  static KnownMetadata::Said many(int count, const std::string& prefix) {
    KnownMetadata::Said said;
    for (int i = 0; i < count; ++i)
      said.emplace_back(prefix + std::to_string(i),
                        series::SaidMetadata{2, std::string(400, 'h'), ""});
    return said;
  }
  ManualClock clock_{0};
  KnownMetadata known_{clock_};
  const CustomerId a_ = *CustomerId::parse("cliente-a");
  const CustomerId b_ = *CustomerId::parse("cliente-b");
};

TEST_F(KnownMetadataTest, IsItsCustomersAndTheLastWordCounts) {
  EXPECT_EQ(known_.note(a_, {{"asked_total", {1, "asked", ""}}}), 0U);
  EXPECT_EQ(help_of("asked_total", a_), "asked");
  EXPECT_EQ(help_of("asked_total", b_), "");
  EXPECT_EQ(known_.note(a_, {{"asked_total", {1, "asked so far", ""}}}), 0U);
  EXPECT_EQ(help_of("asked_total", a_), "asked so far");
}

TEST_F(KnownMetadataTest, PartsOfAHistogramAreFoundAndOthersAreNot) {
  known_.note(a_, {{"took", {3, "took", "s"}}, {"level", {2, "how high", ""}}});
  for (const char* part : {"took_bucket", "took_sum", "took_count", "took"})
    EXPECT_EQ(help_of(part, a_), "took") << part;
  known_.note(a_, {{"asked", {1, "asked", ""}}});
  EXPECT_EQ(help_of("asked_total", a_), "asked") << "as OpenMetrics has it";
  EXPECT_EQ(help_of("level_total", a_), "");
  EXPECT_EQ(help_of("level_count", a_), "") << "a gauge has no parts";
  EXPECT_EQ(help_of("_count", a_), "");
}

TEST_F(KnownMetadataTest, RoomIsSharedAndWhatIsNoLongerSaidGoes) {
  const std::uint64_t left_out = known_.note(a_, many(4000, "first_"));
  EXPECT_GT(left_out, 0U);
  EXPECT_LT(left_out, 4000U);
  EXPECT_EQ(known_.note(b_, many(100, "b_")), 0U) << "another's room is its own";
  clock_.advance(KnownMetadata::kForgottenAfter);
  EXPECT_EQ(known_.note(a_, many(100, "second_")), 0U);
  EXPECT_EQ(help_of("first_0", a_), "");
  EXPECT_NE(help_of("second_99", a_), "");
}

TEST_F(KnownMetadataTest, ATableThatIsReadStaysAsItWas) {
  known_.note(a_, {{"level", {2, "how high", ""}}});
  const auto before = known_.of(a_);
  known_.note(a_, {{"level", {2, "how deep", ""}}});
  EXPECT_EQ(series::find_metadata(*before, "level")->help, "how high");
}

}  // namespace
}  // namespace vigia::collector::intake
