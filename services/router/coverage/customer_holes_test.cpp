#include "services/router/coverage/customer_holes.hpp"

#include <gtest/gtest.h>

namespace vigia::router::coverage {
namespace {

TEST(CustomerHoles, EachCustomerHasItsOwnAndAnOperatorAll) {
  CustomerHoles holes;
  EXPECT_FALSE(holes.whole_from(std::nullopt).has_value());
  EXPECT_FALSE(holes.is_waiting(std::nullopt));
  holes.replace({{"a", 60}, {"b", 120}}, {{"b", 1}});
  EXPECT_EQ(holes.whole_from("a"), 60'000);
  EXPECT_EQ(holes.whole_from("b"), 120'000);
  EXPECT_FALSE(holes.whole_from("c").has_value());
  EXPECT_EQ(holes.whole_from(std::nullopt), 120'000);
  EXPECT_FALSE(holes.is_waiting("a"));
  EXPECT_TRUE(holes.is_waiting("b"));
  EXPECT_TRUE(holes.is_waiting(std::nullopt));
}

TEST(CustomerHoles, ALossStaysKnownAndWhoWaitsIsToldAnew) {
  CustomerHoles holes;
  holes.replace({{"a", 60}}, {{"a", 1}});
  holes.update({}, {});
  EXPECT_EQ(holes.whole_from("a"), 60'000);
  EXPECT_FALSE(holes.is_waiting("a"));
  holes.update({{"a", 30}}, {});
  EXPECT_EQ(holes.whole_from("a"), 60'000);
  holes.replace({{"a", 30}}, {});
  EXPECT_EQ(holes.whole_from("a"), 30'000);
  holes.forget();
  EXPECT_FALSE(holes.whole_from("a").has_value());
}

}  // namespace
}  // namespace vigia::router::coverage
