#include "services/router/access/in_flight.hpp"

#include <deque>
#include <vector>

#include <gtest/gtest.h>

namespace vigia::router::access {
namespace {

TEST(InFlight, OneCustomerCannotTakeTheOthersPlaces) {
  InFlight places(2, ByteShares({}));
  const std::optional<CustomerId> a = *CustomerId::parse("a");
  const std::optional<CustomerId> b = *CustomerId::parse("b");
  std::vector<InFlight::Place> held;
  held.push_back(std::move(*places.enter(a)));
  held.push_back(std::move(*places.enter(a)));
  EXPECT_FALSE(places.enter(a).has_value());
  EXPECT_TRUE(places.enter(b).has_value());
  EXPECT_TRUE(places.enter(std::nullopt).has_value());
  held.pop_back();
  EXPECT_TRUE(places.enter(a).has_value());
}

TEST(InFlight, AnswersThatNobodyReadsHaveABound) {
  InFlight places(10, ByteShares({.customer_max = 100, .total_max = 1'000}));
  const std::optional<CustomerId> a = *CustomerId::parse("a");
  const std::optional<CustomerId> b = *CustomerId::parse("b");
  std::deque<InFlight::Place> held;
  for (int i = 0; i < 3; ++i) held.push_back(std::move(*places.enter(a)));
  EXPECT_TRUE(held[0].take_bytes(60));
  EXPECT_TRUE(held[1].take_bytes(40));
  EXPECT_FALSE(held[2].take_bytes(1));
  EXPECT_TRUE(places.enter(b)->take_bytes(150));  // alone, whatever its size
  held.pop_front();
  EXPECT_TRUE(held.back().take_bytes(60));
}

}  // namespace
}  // namespace vigia::router::access
