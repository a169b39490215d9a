#include "services/storage/ingest/late_lane.hpp"

#include <condition_variable>
#include <future>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr TimestampMs kStart = 1'764'043'200'000;
constexpr heads::Epoch kEpoch = 1'000;

// An empty store whose reads wait until they are let go.
class SlowStore final : public store::WatchedChunks {
 public:
  using store::WatchedChunks::WatchedChunks;
  void let_go() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void throw_next() {
    const std::lock_guard lock(mutex_);
    ++faults_;
  }
  void wait_for_a_reader() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return readers_ > 0; });
  }

  std::unique_ptr<store::ChunkCursor> read(const CustomerId& customer,
                                           std::span<const store::SeriesKey> series,
                                           const store::ChunkQuery& query) override {
    std::unique_lock lock(mutex_);
    ++readers_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
    if (faults_ > 0) {
      --faults_;
      throw std::runtime_error("a fault of ours");
    }
    return store::WatchedChunks::read(customer, series, query);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
  int readers_ = 0;
  int faults_ = 0;
};

class LateLaneTest : public testing::Test {
 protected:
  std::uint64_t known(std::uint64_t series, TimestampMs time_ms,
                      std::vector<heads::StoreWork>& work) {
    const heads::SeriesRef ref{{static_cast<std::uint32_t>(series)}, {series}, true};
    const Sample sample{time_ms, 1};
    return heads_.append_known(ref, {&sample, 1}, {}, kEpoch, work).stored;
  }
  // Late samples of a series: as many, each of them on its own.
  std::vector<heads::StoreWork> late_work(std::uint64_t series, int count) {
    std::vector<heads::StoreWork> work;
    known(series, kStart, work);
    for (int i = 1; i <= count; ++i) known(series, kStart - i * 15'000, work);
    return work;
  }

  void submit(std::size_t number, std::vector<heads::StoreWork> work) {
    late_.submit(std::move(work), [this, number](Result<heads::AppendCounts> counts) {
      done_[number].set_value(std::move(counts));
    });
  }
  void TearDown() override { store_.let_go(); }  // also where a test ends early

  store::MemoryColdStore memory_;
  SlowStore store_{memory_.chunks()};
  TestNumbers numbers_;
  heads::StoredSeries stored_series_{store_, numbers_};
  ManualClock clock_{kStart * 1'000'000};
  heads::HeadSet heads_{stored_series_, clock_};
  std::vector<std::promise<Result<heads::AppendCounts>>> done_ =
      std::vector<std::promise<Result<heads::AppendCounts>>>(1'000);
  LateLane late_{heads_, 200'000};
};

// A7: a small write of another customer took up to 3.9 s beside 40,000 late samples a second.
TEST_F(LateLaneTest, WhileOneWaitsForTheDiskOthersAreAppended) {
  submit(0, late_work(1, 700));
  store_.wait_for_a_reader();
  std::vector<heads::StoreWork> work;
  for (int i = 1; i < 300; ++i) {
    EXPECT_EQ(known(2, kStart + i, work), 1U);
    EXPECT_EQ(known(1, kStart + i, work), 1U);  // its own series, too
  }
  EXPECT_TRUE(work.empty());
  EXPECT_EQ(late_.oldest(), kEpoch);  // so the log keeps it
  EXPECT_EQ(late_.items(), 700U);
  store_.let_go();
  EXPECT_EQ(done_[0].get_future().get().value().late, 700U);
  EXPECT_EQ(late_.oldest(), heads::kNoEpoch);
}

TEST_F(LateLaneTest, WhoSendsTooMuchIsRefusedRetryablyAndOthersAreNot) {
  std::size_t taken = 0;
  while (taken < 900 && late_.check(lane_of({1}))) submit(taken++, late_work(1, 10));
  EXPECT_LT(taken, 900U);
  const auto over = late_.check(lane_of({1}));
  ASSERT_FALSE(over.has_value());
  EXPECT_TRUE(is_retryable(over.error()));
  EXPECT_TRUE(late_.check(lane_of({2})));
  submit(901, late_work(2, 30));
  store_.let_go();
  for (std::size_t i = 0; i + 1 < taken; ++i) EXPECT_TRUE(done_[i].get_future().get()) << i;
  EXPECT_EQ(done_[901].get_future().get().value().late, 30U);
}

// The log has it: refused, it would come back after a kill, before what was taken after it.
TEST_F(LateLaneTest, WhatIsLoggedIsNotRefusedForWantOfRoom) {
  submit(0, late_work(1, 1'500));  // three parts, together more than half of what may wait
  EXPECT_FALSE(late_.check(lane_of({1})).has_value());
  submit(1, late_work(1, 1'500));
  store_.let_go();
  EXPECT_EQ(done_[0].get_future().get().value().late, 1'500U);
  EXPECT_EQ(done_[1].get_future().get().value().repeats, 1'500U);
  EXPECT_TRUE(late_.check(lane_of({1})).has_value());
}

TEST_F(LateLaneTest, WhatThrowsCostsItsSeriesAlone) {
  store_.throw_next();
  store_.let_go();
  const std::uint64_t faults = fault_count();
  submit(0, late_work(1, 3));
  const auto counts = done_[0].get_future().get().value();
  EXPECT_EQ(counts.set_aside, 1U);  // of the late ones each is work of its own here
  EXPECT_EQ(counts.late, 2U);
  EXPECT_EQ(fault_count(), faults + 1);
  submit(1, late_work(2, 3));
  EXPECT_EQ(done_[1].get_future().get().value().late, 3U);
  EXPECT_EQ(late_.oldest(), heads::kNoEpoch);
}

}  // namespace
}  // namespace vigia::storage::ingest
