// An ingester of which copies are kept, with somebody who keeps them and remembers it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/ingest/ingester.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::ingest {

/// Thread contract: any thread.
class ToldRows final : public store::OpenRows {
 public:
  using Replay = std::pair<store::OpenSlot, bool>;
  using Kept = std::pair<store::OpenSlot, store::OpenRow>;

  Result<void> replayed(store::OpenSlot newest, bool is_whole) override {
    const std::lock_guard lock(mutex_);
    replays_.emplace_back(newest, is_whole);
    return {};
  }
  void keep(store::OpenSlot slot, std::vector<store::OpenRow> rows, Done done) override {
    if (is_refusing) {
      ++refused;
      return done(fail(ErrorCode::kUnavailable, "no quorum"));
    }
    {
      const std::lock_guard lock(mutex_);
      for (store::OpenRow& row : rows) kept_.emplace_back(slot, std::move(row));
    }
    done({});
  }
  void release(store::OpenSlot before) override { released_ = before; }
  Result<void> take_over(const Take& take) override {
    std::vector<std::pair<CustomerId, std::vector<std::string>>> given;
    {
      const std::lock_guard lock(mutex_);
      given.swap(given_);
    }
    for (const auto& [customer, bodies] : given) {
      if (auto taken = take(customer, bodies); !taken) return taken;
    }
    return {};
  }
  Duration look_interval() const override { return std::chrono::milliseconds(1); }
  store::OpenRowStats stats() const override { return {}; }

  /// What somebody who is gone had open: the next look finds it.
  void give(const CustomerId& customer, std::vector<std::string> bodies) {
    const std::lock_guard lock(mutex_);
    given_.emplace_back(customer, std::move(bodies));
  }
  std::vector<Replay> replays() const {
    const std::lock_guard lock(mutex_);
    return replays_;
  }
  std::vector<Kept> kept() const {
    const std::lock_guard lock(mutex_);
    return kept_;
  }
  /// The last one; 0: nothing was.
  store::OpenSlot released() const { return released_; }

  std::atomic<bool> is_refusing{false};
  std::atomic<int> refused{0};

 private:
  mutable std::mutex mutex_;
  std::vector<Replay> replays_;
  std::vector<Kept> kept_;
  std::vector<std::pair<CustomerId, std::vector<std::string>>> given_;
  std::atomic<store::OpenSlot> released_{0};
};

/// Chunks in memory, of a store that may be full.
class RefusingChunks final : public store::WatchedChunks {
 public:
  using store::WatchedChunks::WatchedChunks;
  std::atomic<bool> is_refusing{false};

  void put(const CustomerId& customer, std::span<const store::ClosedChunk> chunks,
           Done done) override {
    if (is_refusing) return done(fail(ErrorCode::kUnavailable, "the disk is full"));
    store::WatchedChunks::put(customer, chunks, std::move(done));
  }
};

class CopiedIngesterTest : public testing::Test {
 protected:
  void start() {
    heads_ = std::make_unique<heads::HeadSet>(stored_series_, clock_, heads::HeadSet::Memory());
    IngesterSettings settings;
    settings.log_directory = folder_.path() + "/wal";
    settings.sweep_interval = std::chrono::seconds(3);  // a tenth of a second after the clock says
    copies_ = std::make_unique<OpenCopies>(rows_, numbers_);
    ingester_ = Ingester::open(settings, {*heads_, chunks_, times_, clock_, copies_.get()}).value();
  }
  void stop() { ingester_.reset(); }
  void write(std::vector<SeriesBatch> series) {
    std::promise<Result<heads::AppendCounts>> told;
    auto counts = told.get_future();
    IngestBatch batch{std::move(series)};
    ingester_->write(std::move(batch), [&told](Result<heads::AppendCounts> result) {
      told.set_value(std::move(result));
    });
    EXPECT_TRUE(counts.get().has_value());
  }
  static bool becomes(const std::function<bool()>& wanted) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!wanted() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return wanted();
  }

  static constexpr TimestampMs kNowMs = 1'764'043'200'000;
  TemporaryFolder folder_;
  store::MemoryColdStore memory_;
  TestNumbers numbers_;
  ToldRows rows_;
  RefusingChunks chunks_{memory_.chunks()};
  heads::StoredSeries stored_series_{chunks_, numbers_};
  ManualClock clock_{kNowMs * 1'000'000};
  customers::RecordTimes times_;
  std::unique_ptr<heads::HeadSet> heads_;
  std::unique_ptr<OpenCopies> copies_;
  std::unique_ptr<Ingester> ingester_;
};

}  // namespace vigia::storage::ingest
