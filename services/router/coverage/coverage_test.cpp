#include "services/router/coverage/coverage.hpp"

#include <condition_variable>
#include <mutex>
#include <new>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"

namespace vigia::router::coverage {
namespace {

/// Throws at the first looks at it.
class FailingClock final : public Clock {
 public:
  explicit FailingClock(int failures) : failures_(failures) {}

  std::int64_t wall_ns() const override { return SystemClock().wall_ns(); }
  TimePoint steady() const override {
    const std::lock_guard lock(mutex_);
    ++looks_;
    looked_.notify_all();
    if (looks_ <= failures_) throw std::bad_alloc();
    return SystemClock().steady();
  }
  bool wait_for_looks(int count) const {
    std::unique_lock lock(mutex_);
    return looked_.wait_for(lock, std::chrono::seconds(30), [&] { return looks_ >= count; });
  }

 private:
  const int failures_;
  mutable std::mutex mutex_;
  mutable std::condition_variable looked_;
  mutable int looks_ = 0;
};

TEST(CoverageTest, AThrowCostsOnePoll) {
  constexpr int kFailures = 3;
  const SystemClock clock;
  const FailingClock failing(kFailures);
  CoverageSettings settings;
  settings.heartbeat_poll = std::chrono::milliseconds(1);
  service::MetricRegistry metrics;
  const access::ByteShares shares(access::ByteShareSettings{});
  const spool::Spool spool({}, metrics, clock);
  upstream::Readers readers;
  const auto client = net::Client::create({});
  // Nobody listens there: each poll ends at its first question.
  std::vector<upstream::Upstream> shards;
  shards.emplace_back(upstream::UpstreamClients{*client, *client},
                      upstream::UpstreamSettings{"hot-0", "http://127.0.0.1:9", "", 1U << 20U, {}},
                      upstream::AnswerKeeping{shares, spool, readers}, metrics, clock);
  const auto before = fault_count();
  {
    const Coverage coverage(settings, {{&shards.front(), "hot-0"}}, failing);
    EXPECT_TRUE(failing.wait_for_looks(kFailures + 2)) << "it goes on after a fault";
    EXPECT_FALSE(coverage.covered_from(0));
  }
  EXPECT_EQ(fault_count(), before + kFailures);
}

}  // namespace
}  // namespace vigia::router::coverage
