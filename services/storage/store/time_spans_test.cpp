#include "services/storage/store/time_spans.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::storage::store {
namespace {

using ::testing::ElementsAre;

constexpr TimestampNs kSecond = 1'000'000'000;

TimeSpans of_seconds(const std::vector<TimestampNs>& seconds) {
  TimeSpans times;
  for (const TimestampNs second : seconds) times.add(second * kSecond);
  return times;
}

TimeSpan from_to(TimestampNs from, TimestampNs to) { return {from * kSecond, to * kSecond}; }

TEST(TimeSpansTest, NeighboursAreOne) {
  EXPECT_THAT(of_seconds({10, 11, 12}).spans(), ElementsAre(from_to(10, 12)));
  EXPECT_THAT(of_seconds({12, 10, 11}).spans(), ElementsAre(from_to(10, 12)));
}

TEST(TimeSpansTest, OneThatIsLateStandsApart) {
  EXPECT_THAT(of_seconds({1000, 1001, 10, 1002}).spans(),
              ElementsAre(from_to(10, 10), from_to(1000, 1002)));
}

TEST(TimeSpansTest, OneBetweenTwoJoinsThem) {
  EXPECT_THAT(of_seconds({10, 12, 11}).spans(), ElementsAre(from_to(10, 12)));
  TimeSpans times = of_seconds({10, 20, 30});
  times.add(TimeSpan{5 * kSecond, 40 * kSecond});
  EXPECT_THAT(times.spans(), ElementsAre(from_to(5, 40)));
}

TEST(TimeSpansTest, TimesAllOverAreAFewThatHoldThemAll) {
  TimeSpans times;
  for (TimestampNs i = 0; i < 1000; ++i) times.add(i * i * 10 * kSecond);
  EXPECT_EQ(times.spans().size(), TimeSpans::kSpansMax);
  EXPECT_EQ(times.spans().front().from_ns, 0U);
  EXPECT_EQ(times.spans().back().to_ns, 999U * 999 * 10 * kSecond);
  for (TimestampNs i = 0; i < 1000; ++i) {
    EXPECT_THAT(times.spans(), ::testing::Contains(::testing::Truly([&](const TimeSpan& span) {
                  return span.from_ns <= i * i * 10 * kSecond && i * i * 10 * kSecond <= span.to_ns;
                })));
  }
  for (std::size_t i = 1; i < TimeSpans::kSpansMax; ++i) {
    EXPECT_LT(times.spans()[i - 1].to_ns, times.spans()[i].from_ns);
  }
}

}  // namespace
}  // namespace vigia::storage::store
