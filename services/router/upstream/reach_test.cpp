#include "services/router/upstream/reach.hpp"

#include <string>

#include <gtest/gtest.h>

namespace vigia::router::upstream {
namespace {

TEST(Reach, WhoIsUnderWayWhenItGoesAwayIsBrokenOffOnce) {
  Reach reach;
  std::string told;
  const auto over = reach.enter();
  reach.on_break(over, [&] { told += "over"; });
  reach.leave(over);
  const auto first = reach.enter();
  reach.on_break(first, [&] {
    told += reach.is_away() ? "a" : "?";
    reach.leave(first);
  });
  const auto late = reach.enter();  // not yet known how to break it off
  reach.set_away(false);
  EXPECT_EQ(told, "");
  reach.set_away(true);
  reach.set_away(true);
  EXPECT_EQ(told, "a");
  reach.on_break(late, [&] { told += "b"; });
  EXPECT_EQ(told, "ab");
  reach.on_break(over, [&] { told += "gone"; });
  EXPECT_EQ(told, "ab");
}

TEST(Reach, BreakingOffKeepsNobodyFromAsking) {
  Reach reach;
  int broken = 0;
  const auto first = reach.enter();
  reach.on_break(first, [&] { ++broken; });
  reach.break_off();
  EXPECT_FALSE(reach.is_away());
  reach.on_break(reach.enter(), [&] { ++broken; });
  EXPECT_EQ(broken, 1) << "who begins later is not meant";
}

}  // namespace
}  // namespace vigia::router::upstream
