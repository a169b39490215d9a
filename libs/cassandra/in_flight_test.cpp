#include "libs/cassandra/in_flight.hpp"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vigia::cassandra {
namespace {

/// As many places as the owner is given without waiting.
std::size_t take_all(InFlight& places, std::string_view owner, std::vector<InFlightPlace>& held) {
  std::size_t count = 0;
  while (true) {
    auto place = places.enter(owner, {});
    if (!place) return count;
    held.push_back(*std::move(place));
    ++count;
  }
}

TEST(InFlight, WhoeverComesLaterFindsAFreePlace) {
  InFlight places(64);
  std::vector<InFlightPlace> held;
  EXPECT_EQ(take_all(places, "first", held), 32U);
  EXPECT_EQ(take_all(places, "second", held), 16U) << "two do not hold all";
  EXPECT_EQ(take_all(places, "third", held), 8U);
  EXPECT_TRUE(places.enter("fourth", {}));
  EXPECT_EQ(take_all(places, "first", held), 0U);
}

TEST(InFlight, OneAloneHasHalfRoundedUpAndAtLeastOne) {
  const std::vector<std::pair<std::size_t, std::size_t>> cases = {
      {0, 1}, {1, 1}, {2, 1}, {3, 2}, {5, 3}};
  for (const auto& [all, one] : cases) {
    InFlight places(all);
    std::vector<InFlightPlace> held;
    EXPECT_EQ(take_all(places, "customer", held), one) << all;
  }
}

TEST(InFlight, WhatIsLeftIsForWhoeverWaits) {
  InFlight places(4);
  std::vector<InFlightPlace> held;
  ASSERT_EQ(take_all(places, "first", held), 2U);
  held.pop_back();
  EXPECT_TRUE(places.enter("first", {}));
  held.clear();
  EXPECT_EQ(places.count(), 0U);
  places.wait_for_none();
}

}  // namespace
}  // namespace vigia::cassandra
