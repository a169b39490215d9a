#include "services/router/api/loki/work_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::api::loki {
namespace {

using access::QueryLimit;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

struct WatchedWork {
  ManualClock clock{0};
  std::shared_ptr<access::Interest> interest = std::make_shared<access::Interest>();
  Duration worked{0};  // by the thread
  WorkWatch watch{clock, WorkBounds::of({}, seconds(120)), interest, [this] { return worked; }};

  void work(Duration time) {
    clock.advance(time);
    worked += time;
  }
};

TEST(WorkWatch, EndsWithTheClientAtOnce) {
  WatchedWork query;
  query.watch.resume();
  EXPECT_EQ(query.watch.look(), WorkEnd::kNone);
  query.interest->lose();
  EXPECT_EQ(query.watch.look(), WorkEnd::kClientLeft);
}

TEST(WorkWatch, EndsWithItsTime) {
  WatchedWork query;
  query.watch.resume();
  query.clock.advance(seconds(60) - Duration(1));
  EXPECT_EQ(query.watch.look(), WorkEnd::kNone);
  query.clock.advance(Duration(1));
  EXPECT_EQ(query.watch.look(), WorkEnd::kTime);
  EXPECT_LE(query.watch.left(), Duration::zero());
  EXPECT_EQ(access::limit_of(query.watch.too_much(WorkEnd::kTime, "")), QueryLimit::kSeconds);
}

TEST(WorkWatch, TheTimeOfEverybodysQueriesIsNobodysLimit) {
  const WatchedWork query;
  const WorkWatch shorter(query.clock, WorkBounds::of({}, seconds(2)), query.interest);
  EXPECT_EQ(shorter.left(), seconds(2));
  EXPECT_EQ(shorter.too_much(WorkEnd::kTime, "it took long").message, "it took long");
}

TEST(WorkWatch, EndsWithTheWorkOfAllItsPages) {
  WatchedWork query;
  query.worked = seconds(1'000);  // of others on this thread
  for (int page = 0; page < 5; ++page) {
    query.watch.resume();
    for (int line = 0; line < 2'000; ++line) {
      query.work(milliseconds(1));
      ASSERT_EQ(query.watch.look(), WorkEnd::kNone) << page << " " << line;
    }
    query.watch.rest();
    query.worked += seconds(20);  // of others
  }
  query.watch.resume();
  EXPECT_EQ(query.watch.look(), WorkEnd::kNone);
  query.work(milliseconds(2));
  EXPECT_EQ(query.watch.look(), WorkEnd::kWork);
  EXPECT_NE(why_ended(WorkEnd::kWork), why_ended(WorkEnd::kTime));
  EXPECT_THAT(query.watch.too_much(WorkEnd::kWork, "it works").message,
              HasSubstr("over the limit log_query_cpu_seconds (10): it works"));
}

TEST(WorkWatch, EndsBeforeTheLineThatIsOneTooMany) {
  WatchedWork query;
  WorkWatch few(query.clock, {seconds(9), false, {}, 2, 0}, query.interest);
  WorkWatch small(query.clock, {seconds(9), false, {}, 0, 100}, query.interest);
  few.resume();
  small.resume();
  for (int line = 0; line < 2; ++line) {
    EXPECT_EQ(few.look_at_line(50), WorkEnd::kNone);
    EXPECT_EQ(small.look_at_line(50), WorkEnd::kNone);
  }
  EXPECT_EQ(few.look_at_line(0), WorkEnd::kLines);
  EXPECT_EQ(few.lines(), 2U);
  EXPECT_EQ(small.look_at_line(1), WorkEnd::kBytes);
  EXPECT_EQ(small.bytes(), 100U);
  EXPECT_THAT(few.too_much(WorkEnd::kLines, "").message, HasSubstr("log_query_lines (2)"));
  EXPECT_THAT(small.too_much(WorkEnd::kBytes, "").message, HasSubstr("log_query_bytes (100)"));
}

TEST(WorkWatch, ALineThatIsLargerThanAllMayBeIsLookedAtAlone) {
  WatchedWork query;
  WorkWatch small(query.clock, {seconds(9), false, {}, 0, 100}, query.interest);
  small.resume();
  EXPECT_EQ(small.look_at_line(500), WorkEnd::kNone);
  EXPECT_EQ(small.look_at_line(0), WorkEnd::kBytes);
}

TEST(WorkWatch, WhatStorageLookedAtAndWorkedCounts) {
  WatchedWork query;
  WorkWatch few(query.clock, {seconds(9), false, seconds(3), 10, 100}, query.interest,
                [&] { return query.worked; });
  few.resume();
  EXPECT_EQ(few.look_at_line(10), WorkEnd::kNone);
  EXPECT_EQ(few.note(9, 90, seconds(3)), WorkEnd::kNone) << "as much as it may";
  EXPECT_EQ(few.lines(), 10U);
  EXPECT_EQ(few.bytes(), 100U);
  EXPECT_EQ(few.look_at_line(0), WorkEnd::kLines);
  EXPECT_EQ(few.note(0, 1, {}), WorkEnd::kBytes);
  EXPECT_EQ(few.note(1, 0, {}), WorkEnd::kLines);
  query.work(milliseconds(2));
  EXPECT_EQ(few.look(), WorkEnd::kWork);
}

TEST(WorkWatch, TheThreadsOwnWorkGrows) {
  const Duration before = thread_work();
  while (thread_work() == before) {
  }
  EXPECT_GT(thread_work(), before);
}

}  // namespace
}  // namespace vigia::router::api::loki
