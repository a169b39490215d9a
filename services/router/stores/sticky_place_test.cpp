#include "services/router/stores/sticky_place.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace vigia::router::stores {
namespace {

TEST(StickyPlace, IsForEverTheSame) {
  EXPECT_EQ(sticky_place("", 2), 0U);
  EXPECT_EQ(sticky_place("acme", 2), 1U);
  EXPECT_EQ(sticky_place("cliente-a", 2), 1U);
  EXPECT_EQ(sticky_place("cliente-b", 2), 0U);
  EXPECT_EQ(sticky_place("cliente-c", 2), 0U);
  EXPECT_EQ(sticky_place("cliente-a", 3), 0U);
  EXPECT_EQ(sticky_place("cliente-a", 1), 0U);
}

TEST(StickyPlace, SpreadsThoseWhoseNamesAreAlike) {
  constexpr std::size_t kPayers = 1'000;
  std::array<std::size_t, 2> payers{};
  for (std::size_t i = 0; i < kPayers; ++i)
    ++payers[sticky_place("cliente-" + std::to_string(i), 2)];
  EXPECT_GT(payers[0], kPayers / 3);
  EXPECT_GT(payers[1], kPayers / 3);
}

}  // namespace
}  // namespace vigia::router::stores
