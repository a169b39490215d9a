// A store whose writes tests hold up or refuse, and closed chunks on their way to it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "services/storage/heads/closed_chunks.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::heads {

inline constexpr TimestampMs kStart = 1'764'043'200'000;
inline constexpr auto kLong = std::chrono::seconds(20);

// Puts wait until they are let go, or are refused.
class GatedStore final : public store::WatchedChunks {
 public:
  using store::WatchedChunks::WatchedChunks;

  void put(const CustomerId& customer, std::span<const store::ClosedChunk> chunks,
           Done done) override {
    {
      std::unique_lock lock(mutex_);
      ++begun_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return is_open_; });
      if (refusals_ > 0) {
        --refusals_;
        lock.unlock();
        return done(fail(ErrorCode::kUnavailable, "the disk is full"));
      }
      for (const store::ClosedChunk& chunk : chunks) {
        if (chunk.row.series.value != poison_) continue;
        if (memory_failures_ > 0 && memory_failures_-- > 0) throw std::bad_alloc();
        if (!is_memory_only_) throw std::logic_error("a fault");
      }
      customers_.push_back(customer.text());
    }
    store::WatchedChunks::put(customer, chunks, std::move(done));
  }

  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void refuse(int times) {
    const std::lock_guard lock(mutex_);
    refusals_ = times;
  }
  /// Chunks of the series are never taken: writing them throws.
  void poison(std::uint64_t series) {
    const std::lock_guard lock(mutex_);
    poison_ = series;
  }
  /// So often there is no memory for writing chunks of the series.
  void fail_memory(std::uint64_t series, int times) {
    const std::lock_guard lock(mutex_);
    poison_ = series;
    memory_failures_ = times;
    is_memory_only_ = true;
  }
  void await_put() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return begun_ > 0; });
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  std::vector<std::string> customers() {
    const std::lock_guard lock(mutex_);
    return customers_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
  int begun_ = 0;
  int refusals_ = 0;
  int memory_failures_ = 0;
  bool is_memory_only_ = false;
  std::uint64_t poison_ = 0;
  std::vector<std::string> customers_;
};

class ClosedChunksTest : public ::testing::Test {
 protected:
  ~ClosedChunksTest() override { gate_.open(); }

  static store::ChunkRow row(std::uint64_t series, int number, std::size_t bytes = 4) {
    const TimestampMs first_ms = kStart + number * 1'000;
    return {{series},
            first_ms,
            first_ms + 900,
            store::kInOrder,
            store::Encoding::kFloats,
            std::string(bytes, 'x')};
  }
  std::vector<TimestampMs> stored(std::uint32_t customer, std::uint64_t series) {
    std::vector<TimestampMs> firsts;
    const CustomerId id = numbers_.id_of({customer}).value();
    const auto rows = store::read_rows(gate_, id, {"", {series}}, {0, INT64_MAX});
    for (const auto& row : rows.value()) {
      firsts.push_back(row.first_ms);
    }
    return firsts;
  }

  store::MemoryColdStore memory_;
  GatedStore gate_{memory_.chunks()};
  TestNumbers numbers_;
  StoredSeries series_{gate_, numbers_};
};

}  // namespace vigia::storage::heads
