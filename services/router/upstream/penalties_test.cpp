#include "services/router/upstream/penalties.hpp"

#include <gtest/gtest.h>

namespace vigia::router {
namespace {

using std::chrono::seconds;

TEST(Penalties, AfterThreeTimeoutsInARowTheNextOneWaits) {
  ManualClock clock{0};
  Penalties penalties(clock);
  penalties.note_timeout("a");
  penalties.note_timeout("a");
  EXPECT_FALSE(penalties.pause_of("a").has_value());
  penalties.note_answer("a");
  penalties.note_timeout("a");
  penalties.note_timeout("a");
  EXPECT_FALSE(penalties.is_penalised("a")) << "in a row";
  penalties.note_timeout("a");
  EXPECT_TRUE(penalties.is_penalised("a"));
  EXPECT_EQ(penalties.pause_of("a"), seconds(5));
  EXPECT_FALSE(penalties.pause_of("b").has_value());
  clock.advance(seconds(5));
  EXPECT_FALSE(penalties.pause_of("a").has_value());
  EXPECT_TRUE(penalties.is_penalised("a")) << "one at a time";
  penalties.note_timeout("a");
  EXPECT_EQ(penalties.pause_of("a"), seconds(10));
}

TEST(Penalties, ThePauseIsBoundedAndEndsWithAnAnswer) {
  ManualClock clock{0};
  Penalties penalties(clock);
  for (int i = 0; i < 1'000; ++i) penalties.note_timeout("a");
  EXPECT_EQ(penalties.pause_of("a"), Penalties::kPauseMax);
  penalties.note_answer("a");
  EXPECT_FALSE(penalties.is_penalised("a"));
  for (int i = 0; i < 1'000; ++i) penalties.note_timeout("a");
  clock.advance(2 * Penalties::kPauseMax + seconds(1));
  penalties.note_timeout("b");
  EXPECT_FALSE(penalties.is_penalised("a")) << "forgotten";
}

}  // namespace
}  // namespace vigia::router
