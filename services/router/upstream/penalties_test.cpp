#include "services/router/upstream/penalties.hpp"

#include <gtest/gtest.h>

namespace vigia::router::upstream {
namespace {

using std::chrono::seconds;

TEST(Penalties, AfterThreeTimeoutsTheNextOneWaits) {
  ManualClock clock{0};
  Penalties penalties(clock);
  penalties.note_timeout("a");
  penalties.note_timeout("a");
  EXPECT_FALSE(penalties.pause_of("a").has_value());
  EXPECT_FALSE(penalties.is_penalised("a"));
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

TEST(Penalties, ThePauseIsBoundedAndEndsWithTime) {
  ManualClock clock{0};
  Penalties penalties(clock);
  for (int i = 0; i < 1'000; ++i) penalties.note_timeout("a");
  EXPECT_EQ(penalties.pause_of("a"), Penalties::kPauseMax);
  clock.advance(Penalties::kPauseMax);
  EXPECT_FALSE(penalties.pause_of("a").has_value());
  EXPECT_TRUE(penalties.is_penalised("a")) << "one at a time";
  penalties.note_timeout("a");
  EXPECT_EQ(penalties.pause_of("a"), Penalties::kPauseMax) << "and the next one waits as long";
  clock.advance(2 * Penalties::kPauseMax);
  EXPECT_FALSE(penalties.is_penalised("a")) << "forgotten";
  penalties.note_timeout("b");
  EXPECT_FALSE(penalties.is_penalised("a")) << "forgotten";
}

// Of a large customer one query in thousands may have no answer: it has no penalty for that.
TEST(Penalties, OneForEachLongestPauseIsMadeUpFor) {
  ManualClock clock{0};
  Penalties penalties(clock);
  penalties.note_timeout("a");
  for (int i = 0; i < 100; ++i) {
    penalties.note_timeout("a");
    EXPECT_FALSE(penalties.is_penalised("a"));
    clock.advance(Penalties::kPauseMax);
  }
  for (int i = 0; i < 2; ++i) penalties.note_timeout("a");
  EXPECT_TRUE(penalties.is_penalised("a"));
}

// Also for whoever knows the rule, and waits after so many until all are forgotten.
TEST(Penalties, WhateverTheRhythmAStoreGetsFewOfThem) {
  for (const int burst : {1, 3, 6, 7, 8, 9, 1'000'000}) {
    for (const auto between : {seconds(0), seconds(10), seconds(60), seconds(299), seconds(300)}) {
      ManualClock clock{0};
      Penalties penalties(clock);
      int timeouts = 0;
      while (clock.steady() < TimePoint{std::chrono::hours(10)}) {
        clock.advance(penalties.pause_of("a").value_or(Duration::zero()));
        penalties.note_timeout("a");
        ++timeouts;
        clock.advance(timeouts % burst == 0 ? 2 * Penalties::kPauseMax : between);
      }
      EXPECT_LE(timeouts, 10 * 40) << burst << " after " << between.count();
    }
  }
}

}  // namespace
}  // namespace vigia::router::upstream
