#include "services/router/coverage/hot_member.hpp"

#include <gtest/gtest.h>

namespace vigia::router::coverage {
namespace {

std::vector<std::size_t> numbers(const std::vector<HotMember>& members) {
  std::vector<std::size_t> found;
  for (const HotMember& member : members) found.push_back(member.number);
  return found;
}

TEST(HotMember, WhoReachesFurthestBackIsFirst) {
  const HotMember unknown{0, {}};
  const HotMember short_one{1, {600'000, 0}};
  const HotMember long_one{2, {60'000, 0}};
  EXPECT_EQ(numbers(furthest_first({unknown, short_one, long_one})),
            (std::vector<std::size_t>{2, 1, 0}));
}

// now − edge is looked up for each at its own millisecond.
TEST(HotMember, WhoReachAsFarStayInTheirOrder) {
  EXPECT_EQ(numbers(furthest_first({{1, {60'002, 0}}, {0, {60'001, 0}}})),
            (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(numbers(furthest_first({{1, {}}, {0, {}}})), (std::vector<std::size_t>{1, 0}));
}

}  // namespace
}  // namespace vigia::router::coverage
