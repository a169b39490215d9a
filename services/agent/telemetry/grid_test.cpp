#include "services/agent/telemetry/grid.hpp"

#include <gtest/gtest.h>

namespace vigia::agent::telemetry {
namespace {

TEST(Grid, NextPointIsAMultipleOfTheInterval) {
  EXPECT_EQ(next_grid_point(1, 0, 15), 15);
  EXPECT_EQ(next_grid_point(14, 0, 15), 15);
  EXPECT_EQ(next_grid_point(15, 0, 15), 30);
  EXPECT_EQ(next_grid_point(1'795'574'401, 1'795'574'400, 15), 1'795'574'415);
}

TEST(Grid, ClockSetBackALittleDoesNotRepeatAPoint) {
  EXPECT_EQ(next_grid_point(14, 15, 15), 30);
  EXPECT_EQ(next_grid_point(29, 45, 15), 60);
}

TEST(Grid, ClockSetBackFarIsFollowed) { EXPECT_EQ(next_grid_point(100, 3600, 15), 105); }

TEST(Grid, ClockSetForwardSkipsPoints) { EXPECT_EQ(next_grid_point(3601, 15, 15), 3615); }

}  // namespace
}  // namespace vigia::agent::telemetry
