// Faults of our own in the ingester's threads: each costs its request, and no thread, no request
// that is never answered, and no share that is never given back.
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/base/testing/failing_allocations.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/ingest/ingester.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr TimestampMs kNow = 1'764'043'200'000;
constexpr TimestampMs kStep = 15'000;
constexpr int kAllocationsMax = 500;

// Whoever asks for the time runs into what a test has put there: the applier does for each record.
class HookedClock final : public Clock {
 public:
  std::int64_t wall_ns() const override {
    if (on_asked) on_asked();
    return clock_.wall_ns();
  }
  TimePoint steady() const override { return clock_.steady(); }

  std::function<void()> on_asked;  // set while nobody asks

 private:
  ManualClock clock_{kNow * 1'000'000};
};

// A promise that is let go without an answer asks for memory, where there is none just now: this
// one has what it says then from the start.
class HeardPromise {
 public:
  explicit HeardPromise(std::promise<Result<heads::AppendCounts>> promise)
      : promise_(std::move(promise)) {}
  HeardPromise(const HeardPromise&) = delete;
  HeardPromise& operator=(const HeardPromise&) = delete;
  ~HeardPromise() {
    if (!is_answered_) promise_.set_exception(let_go_);
  }
  void answer(Result<heads::AppendCounts> counts) {
    is_answered_ = true;
    promise_.set_value(std::move(counts));
  }

 private:
  std::promise<Result<heads::AppendCounts>> promise_;
  bool is_answered_ = false;
  const std::exception_ptr let_go_ = std::make_exception_ptr(std::runtime_error("let go"));
};

class IngesterFaultsTest : public testing::Test {
 protected:
  using Answer = std::future<Result<heads::AppendCounts>>;

  void SetUp() override { start(); }
  void start() {
    heads_ = std::make_unique<heads::HeadSet>(stored_series_, clock_, heads::HeadSet::Memory());
    settings_.log_directory = folder_.path() + "/wal";
    ingester_ = Ingester::open(settings_, {*heads_, chunks_, times_, clock_}).value();
  }
  static IngestBatch batch(std::uint64_t series, TimestampMs time_ms = kNow) {
    IngestBatch batch;
    batch.series.push_back({{1}, {series}, false, {{time_ms, 1}, {time_ms + kStep, 2}}, {}});
    return batch;
  }
  static Ingester::Done done(std::promise<Result<heads::AppendCounts>> promise) {
    auto heard = std::make_unique<HeardPromise>(std::move(promise));
    return [heard = std::move(heard)](Result<heads::AppendCounts> counts) {
      heard->answer(std::move(counts));
    };
  }
  heads::AppendCounts write(IngestBatch batch) {
    std::promise<Result<heads::AppendCounts>> promise;
    Answer answer = promise.get_future();
    ingester_->write(std::move(batch), done(std::move(promise)));
    return answer.get().value();
  }
  /// An answer, or a promise that is given up: both reach who waits.
  static bool is_heard(Answer& answer) {
    return answer.wait_for(std::chrono::minutes(1)) == std::future_status::ready;
  }
  void expect_sound(std::uint64_t series) {
    EXPECT_EQ(write(batch(series)).stored + write(batch(series)).repeats, 4U);
    while (ingester_->stats().items_pending > 0) std::this_thread::yield();
    ingester_->stop();  // waits for what is pending: for ever, were some never given back
  }

  TemporaryFolder folder_;
  store::MemoryColdStore memory_;
  TestNumbers numbers_;
  store::WatchedChunks chunks_{memory_.chunks()};
  heads::StoredSeries stored_series_{chunks_, numbers_};
  HookedClock clock_;
  customers::RecordTimes times_;
  IngesterSettings settings_;
  std::unique_ptr<heads::HeadSet> heads_;
  std::unique_ptr<Ingester> ingester_;
};

TEST_F(IngesterFaultsTest, MemoryThatEndsWhileABatchIsTakenCostsThatBatch) {
  bool has_failed = true;
  for (int number = 0; has_failed && number < kAllocationsMax; ++number) {
    std::promise<Result<heads::AppendCounts>> promise;
    Answer answer = promise.get_future();
    auto told = done(std::move(promise));
    auto taken = batch(1);
    contain_faults("a test", [&] {
      fail_allocation(number);
      ingester_->write(std::move(taken), std::move(told));
    });
    has_failed = has_allocation_failed();
    fail_allocation(-1);
    told = nullptr;
    ASSERT_TRUE(is_heard(answer)) << number;
  }
  EXPECT_FALSE(has_failed);
  expect_sound(2);
}

// Of two series with two samples each.
void expect_of_all_four(Result<heads::AppendCounts> counts, int number) {
  if (!counts) return;
  EXPECT_EQ(counts->stored + counts->repeats + counts->conflicts + counts->set_aside, 4U) << number;
}

class AppliersMemoryTest : public IngesterFaultsTest, public testing::WithParamInterface<int> {};

TEST_P(AppliersMemoryTest, ItsEndCostsThatBatchAndIsNoSuccess) {
  std::atomic<int> number{0};
  std::atomic<bool> has_failed{true};  // what was asked for at the batch before
  // Of a new series, so that the applier itself answers: the log's writer looks at the clock, too.
  auto first = batch(1);
  first.series.front().is_new = true;
  std::promise<std::thread::id> told;
  ingester_->write(std::move(first), [&](const Result<heads::AppendCounts>&) {
    told.set_value(std::this_thread::get_id());
  });
  const std::thread::id applier = told.get_future().get();
  clock_.on_asked = [&, is_first = true]() mutable {
    if (std::this_thread::get_id() != applier) return;
    if (!std::exchange(is_first, false)) has_failed = has_allocation_failed();
    fail_allocation(number, GetParam());
  };
  for (; has_failed && number < kAllocationsMax; ++number) {
    std::promise<Result<heads::AppendCounts>> promise;
    Answer answer = promise.get_future();
    // Late ones of one series, new ones of another: all the ways that the applier has.
    auto both = batch(1, kNow - (number + 1) * 10 * kStep);
    both.series.push_back(batch(2, kNow + number * 10 * kStep).series.front());
    ingester_->write(std::move(both), done(std::move(promise)));
    ASSERT_TRUE(is_heard(answer)) << number;
    contain_faults("a promise that was let go", [&] { expect_of_all_four(answer.get(), number); });
  }
  EXPECT_FALSE(has_failed);
  EXPECT_GT(number, 5);
  while (ingester_->stats().items_pending > 0) std::this_thread::yield();
  ingester_->stop();
}

INSTANTIATE_TEST_SUITE_P(Failures, AppliersMemoryTest, testing::Values(1, 2));

// The store refuses, and there is no memory for what it says.
class RefusingChunks final : public store::WatchedChunks {
 public:
  using store::WatchedChunks::WatchedChunks;
  Result<std::optional<TimestampMs>> newest(const CustomerId& /*customer*/,
                                            const store::SeriesKey& /*series*/,
                                            TimestampMs /*since_ms*/) override {
    Error refused{ErrorCode::kUnavailable, "the store does not take this just now, try again"};
    fail_allocation(number);
    return tl::unexpected<Error>(std::move(refused));
  }
  std::atomic<int> number{-1};
};

TEST(LateLaneFaultsTest, WhatTheStoreRefusesIsNeverASuccess) {
  store::MemoryColdStore memory;
  RefusingChunks chunks(memory.chunks());
  TestNumbers numbers;
  heads::StoredSeries stored(chunks, numbers);
  ManualClock clock{kNow * 1'000'000};
  heads::HeadSet heads(stored, clock);
  for (int number = -1; number < 30; ++number) {
    LateLane late(heads,
                  1U << 20U);  // a thread of its own: what did not fail would in the next round
    chunks.number = number;
    std::vector<heads::StoreWork> work;
    const Sample sample{kNow, 1};
    const auto series = static_cast<std::uint64_t>(number + 10);
    heads.append_known({{1}, {series}, false}, {&sample, 1}, {}, 1000, work);
    ASSERT_EQ(work.size(), 1U);
    std::promise<Result<heads::AppendCounts>> promise;
    auto answer = promise.get_future();
    late.submit(std::move(work), [promise = std::move(promise)](auto counts) mutable {
      promise.set_value(std::move(counts));
    });
    bool is_success = false;
    contain_faults("a promise that was let go", [&] { is_success = answer.get().has_value(); });
    EXPECT_FALSE(is_success) << number;
  }
}

class ReplayFaultsTest : public IngesterFaultsTest {
 protected:
  void SetUp() override {
    start();
    write(batch(1));
    write(batch(2));
    ingester_.reset();
  }
  /// The clock throws as often, from the first record that is replayed on.
  void start_with(int faults) {
    int asked = 0;  // at a start: by the log, then for each of the two records, then once
    const auto tester = std::this_thread::get_id();
    clock_.on_asked = [&] { asked += std::this_thread::get_id() == tester ? 1 : 0; };
    start();
    int until_first = asked - 3;
    ingester_.reset();
    clock_.on_asked = [&] {
      if (until_first-- <= 0 && faults-- > 0) throw std::bad_alloc();
    };
    start();
    clock_.on_asked = nullptr;
    EXPECT_LE(faults, 0);
  }
};

// It ended each start, and no customer's data could be written or read any more.
TEST_F(ReplayFaultsTest, ARecordWithWhichAFaultComesDoesNotKeepTheStartFromGoingOn) {
  const std::uint64_t before = fault_count();
  start_with(3);
  EXPECT_EQ(fault_count(), before + 3);
  EXPECT_EQ(ingester_->stats().replayed, 2U);
  EXPECT_EQ(ingester_->stats().log.damaged_records, 1U);  // so its file is kept
  EXPECT_NE(heads_->read({1}).chunk.empty(), heads_->read({2}).chunk.empty());
  EXPECT_EQ(write(batch(3)).stored, 2U);
}

TEST_F(ReplayFaultsTest, AFaultThatPassesCostsTheReplayNothing) {
  start_with(2);
  EXPECT_EQ(ingester_->stats().replayed, 4U);
  EXPECT_EQ(ingester_->stats().log.damaged_records, 0U);
  EXPECT_EQ(write(batch(1)).repeats, 2U);
}

}  // namespace
}  // namespace vigia::storage::ingest
