#include "services/storage/ingest/exemplar_keeper.hpp"

#include <future>
#include <semaphore>

#include <gtest/gtest.h>

#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::ingest {
namespace {

/// Waits in its sync until it is told to go on, and can refuse.
class GatedExemplars final : public store::ExemplarStore {
 public:
  Result<void> put(const CustomerId& customer,
                   std::span<const store::NewExemplar> exemplars) override {
    if (refused == customer.text()) return fail(ErrorCode::kUnavailable, "made to fail");
    return memory.exemplars()->put(customer, exemplars);
  }
  Result<void> sync() override {
    ++syncs;
    gate.acquire();
    return synced;
  }
  Result<std::vector<store::SeriesId>> having(const CustomerId& customer,
                                              std::span<const store::SeriesId> series,
                                              const store::ExemplarRange& range,
                                              const store::WorkLimit& limit) override {
    return memory.exemplars()->having(customer, series, range, limit);
  }
  Result<void> read(const CustomerId& customer, store::SeriesId series,
                    const store::ExemplarRange& range, const Visit& visit,
                    const store::WorkLimit& limit) override {
    return memory.exemplars()->read(customer, series, range, visit, limit);
  }
  Result<std::size_t> expire(const store::ExpiryCuts&) override { return 0U; }
  std::uint64_t disk_bytes() const override { return 0; }
  std::uint64_t damaged() const override { return 0; }

  store::MemoryColdStore memory;
  std::string refused;
  Result<void> synced;
  std::atomic<int> syncs{0};
  std::counting_semaphore<> gate{0};
};

CustomerId customer(const std::string& name) { return CustomerId::parse(name).value(); }

std::vector<OwnedExemplars> of(const std::string& name, int count) {
  OwnedExemplars owned{customer(name), {}};
  for (int i = 0; i < count; ++i) owned.exemplars.push_back({{1}, {1'000 + i, 1}, ""});
  return {owned};
}

class ExemplarKeeperTest : public testing::Test {
 protected:
  // What was written, once it is answered.
  std::uint64_t keep(ExemplarKeeper& keeper, std::vector<OwnedExemplars> exemplars) {
    std::promise<std::uint64_t> written;
    keeper.keep(std::move(exemplars), [&](std::uint64_t count) { written.set_value(count); });
    return written.get_future().get();
  }
  ManualClock clock_{0};
  store::MemoryColdStore memory_;
};

TEST_F(ExemplarKeeperTest, EachCustomerHasAnAllowanceThatTimeFillsAgain) {
  ExemplarKeeper keeper(*memory_.exemplars(), clock_, 60);
  EXPECT_EQ(keep(keeper, of("a", 100)), 60U);
  EXPECT_EQ(keep(keeper, of("a", 1)), 0U);
  EXPECT_EQ(keep(keeper, of("b", 10)), 10U);
  clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(keep(keeper, of("a", 100)), 10U);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(keep(keeper, of("a", 100)), 60U);
  EXPECT_EQ(keeper.stats().written, 140U);
  EXPECT_EQ(keeper.stats().limited, 171U);
  EXPECT_EQ(keeper.stats().failed, 0U);
}

TEST_F(ExemplarKeeperTest, OneSyncIsForAllThatCameMeanwhile) {
  GatedExemplars store;
  ExemplarKeeper keeper(store, clock_, 1'000);
  std::vector<std::future<std::uint64_t>> answers;
  const auto send = [&](const std::string& name) {
    auto written = std::make_shared<std::promise<std::uint64_t>>();
    answers.push_back(written->get_future());
    keeper.keep(of(name, 2), [written](std::uint64_t count) { written->set_value(count); });
  };
  send("a");
  while (store.syncs < 1) std::this_thread::yield();
  for (int i = 0; i < 20; ++i) send("b");
  EXPECT_EQ(answers[1].wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  store.gate.release();
  EXPECT_EQ(answers[0].get(), 2U);
  while (store.syncs < 2) std::this_thread::yield();
  store.gate.release();
  for (std::size_t i = 1; i < answers.size(); ++i) EXPECT_EQ(answers[i].get(), 2U);
  EXPECT_EQ(store.syncs, 2);
}

TEST_F(ExemplarKeeperTest, WhatTheStoreRefusesIsLetGoAndNobodyElses) {
  GatedExemplars store;
  store.refused = "a";
  ExemplarKeeper keeper(store, clock_, 1'000);
  store.gate.release();
  EXPECT_EQ(keep(keeper, of("a", 2)), 0U);
  EXPECT_EQ(keeper.stats().failed, 2U);
  store.gate.release();
  EXPECT_EQ(keep(keeper, of("b", 2)), 2U);
  store.synced = fail(ErrorCode::kUnavailable, "made to fail");
  store.gate.release();
  EXPECT_EQ(keep(keeper, of("b", 3)), 0U);
  EXPECT_EQ(keeper.stats().failed, 5U);
}

TEST_F(ExemplarKeeperTest, OnceItIsStoppedNothingIsKeptAndAllAreAnswered) {
  ExemplarKeeper keeper(*memory_.exemplars(), clock_, 1'000);
  keeper.stop();
  keeper.stop();
  EXPECT_EQ(keep(keeper, of("a", 2)), 0U);
  EXPECT_EQ(keeper.stats().failed, 2U);
}

}  // namespace
}  // namespace vigia::storage::ingest
