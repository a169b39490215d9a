#include "libs/service/fault_places.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::service {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr TimePoint kStart{std::chrono::hours(1)};

TEST(FaultPlacesTest, CountsByPlace) {
  FaultPlaces places;
  EXPECT_TRUE(places.counts().empty());
  for (int i = 0; i < 3; ++i) places.note("a sweep", kStart);
  places.note("a job", kStart);
  EXPECT_THAT(places.counts(), ElementsAre(Pair("a job", 1), Pair("a sweep", 3)));
}

TEST(FaultPlacesTest, APlaceSaysOnceInAWhileHowManyItLeftOut) {
  FaultPlaces places;
  EXPECT_TRUE(places.note("a sweep", kStart).is_told);
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(places.note("a sweep", kStart).is_told);
  EXPECT_TRUE(places.note("a job", kStart).is_told);  // another's lines are its own
  const auto next = places.note("a sweep", kStart + FaultPlaces::kLineEach);
  EXPECT_TRUE(next.is_told);
  EXPECT_EQ(next.left_out, 1'000U);
  EXPECT_EQ(places.note("a sweep", kStart + 2 * FaultPlaces::kLineEach).left_out, 0U);
}

TEST(FaultPlacesTest, ManyPlacesAreOne) {
  FaultPlaces places;
  for (int i = 0; i < 10'000; ++i) places.note(std::to_string(i), kStart);
  const auto counts = places.counts();
  EXPECT_EQ(counts.size(), FaultPlaces::kPlacesMax + 1);
  EXPECT_EQ(counts.at("elsewhere"), 10'000 - FaultPlaces::kPlacesMax);
}

}  // namespace
}  // namespace vigia::service
