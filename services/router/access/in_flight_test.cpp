#include "services/router/access/in_flight.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace vigia::router {
namespace {

TEST(InFlight, OneCustomerCannotTakeTheOthersPlaces) {
  InFlight places(2);
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

}  // namespace
}  // namespace vigia::router
