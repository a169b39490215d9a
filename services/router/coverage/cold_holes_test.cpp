#include "services/router/coverage/cold_holes.hpp"

#include <gtest/gtest.h>

namespace vigia::router::coverage {
namespace {

const auto kA = CustomerId::parse("a").value();
const auto kB = CustomerId::parse("b").value();

TEST(ColdHoles, AnAnswerOverAHoleSaysSoToWhomItConcerns) {
  const SystemClock clock;
  ColdHoles holes(nullptr, clock);
  EXPECT_FALSE(holes.warning(std::nullopt, 0, 1'000'000));
  holes.replace({{60'000, 120'000, ""}, {600'000, 660'000, "b"}});
  EXPECT_EQ(holes.warning(kA, 0, 1'000'000),
            "cold part may be incomplete: of what was received from 1970-01-01T00:01:00Z to "
            "1970-01-01T00:02:00Z some was lost before it was stored");
  EXPECT_FALSE(holes.warning(kA, 120'001, 1'000'000)) << "the second is b's";
  EXPECT_FALSE(holes.warning(kA, 0, 59'999));
  EXPECT_TRUE(holes.warning(kA, 120'000, 120'000));
  EXPECT_TRUE(holes.warning(kB, 120'001, 1'000'000));
  EXPECT_TRUE(holes.warning(std::nullopt, 120'001, 1'000'000)) << "operators see all";
  const auto both = holes.warning(kB, 0, 1'000'000);
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->ends_with("stored, and at 1 more times")) << *both;
  holes.replace({});
  EXPECT_FALSE(holes.warning(std::nullopt, 0, 1'000'000));
}

TEST(ColdHoles, NoHoleEndsBeforeItBegins) {
  const SystemClock clock;
  ColdHoles holes(nullptr, clock);
  holes.replace({{120'000, 60'000, ""}});
  EXPECT_EQ(holes.warning(kA, 0, 1'000'000),
            "cold part may be incomplete: of what was received from 1970-01-01T00:01:00Z to "
            "1970-01-01T00:01:00Z some was lost before it was stored");
}

}  // namespace
}  // namespace vigia::router::coverage
