#include "services/router/api/loki/work_watch.hpp"

#include <gtest/gtest.h>

namespace vigia::router::api::loki {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct WatchedWork {
  ManualClock clock{0};
  std::shared_ptr<access::Interest> interest = std::make_shared<access::Interest>();
  Duration worked{0};  // by the thread
  WorkWatch watch{clock, seconds(120), interest, [this] { return worked; }};

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
  query.clock.advance(kLogQueryTimeMax - Duration(1));
  EXPECT_EQ(query.watch.look(), WorkEnd::kNone);
  query.clock.advance(Duration(1));
  EXPECT_EQ(query.watch.look(), WorkEnd::kTime);
  EXPECT_LE(query.watch.left(), Duration::zero());
  const WorkWatch shorter(query.clock, seconds(2), query.interest);
  EXPECT_EQ(shorter.left(), seconds(2));
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
}

TEST(WorkWatch, TheThreadsOwnWorkGrows) {
  const Duration before = thread_work();
  while (thread_work() == before) {
  }
  EXPECT_GT(thread_work(), before);
}

}  // namespace
}  // namespace vigia::router::api::loki
