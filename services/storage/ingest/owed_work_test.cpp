#include "services/storage/ingest/owed_work.hpp"

#include <set>

#include <gtest/gtest.h>

#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr TimestampMs kStart = 1'764'043'200'000;
constexpr heads::Epoch kEpoch = 1'000;

/// Refuses to say what there is of some series.
class RefusingStore final : public store::WatchedChunks {
 public:
  using store::WatchedChunks::WatchedChunks;
  Result<std::optional<TimestampMs>> newest(const CustomerId& customer,
                                            const store::SeriesKey& series,
                                            TimestampMs from_ms) override {
    ++asked;
    if (refused.contains(series.id.value)) return fail(ErrorCode::kUnavailable, "not now");
    return store::WatchedChunks::newest(customer, series, from_ms);
  }
  std::set<std::uint64_t> refused;
  int asked = 0;
};

class OwedWorkTest : public testing::Test {
 protected:
  Result<heads::AppendCounts> append(std::uint64_t series, std::vector<Sample> samples,
                                     heads::Epoch epoch = kEpoch) {
    std::vector<heads::StoreWork> work;
    heads::AppendCounts counts = heads_.append_known({{1}, {series}}, samples, {}, epoch, work);
    for (heads::StoreWork& one : work) {
      const auto more = owed_.append(std::move(one));
      if (!more) return more;
      counts += *more;
    }
    return counts;
  }
  std::size_t open(std::uint64_t series) {
    const heads::HeadView view = heads_.read({series});
    return view.late.size() + (view.chunk.empty() ? 0 : 1);
  }

  store::MemoryColdStore memory_;
  RefusingStore store_{memory_.chunks()};
  TestNumbers numbers_;
  heads::StoredSeries stored_series_{store_, numbers_};
  ManualClock clock_{kStart * 1'000'000};
  heads::HeadSet heads_{stored_series_, clock_};
  OwedWork owed_{heads_, 1U << 20U};
};

TEST_F(OwedWorkTest, WhatIsOwedComesBeforeWhatComesAfterIt) {
  store_.refused = {1};
  EXPECT_FALSE(append(1, {{kStart, 1}, {kStart + 1, 1}}));
  EXPECT_FALSE(append(1, {{kStart + 1, 2}, {kStart + 2, 2}}));
  EXPECT_EQ(owed_.stats().items, 3U) << "of one time the first";
  EXPECT_TRUE(append(2, {{kStart, 5}})) << "another series owes nothing";
  store_.refused.clear();
  const auto counts = append(1, {{kStart, 3}, {kStart + 1, 1}, {kStart + 2, 2}, {kStart + 3, 3}});
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->conflicts, 1U);
  EXPECT_EQ(counts->repeats, 2U);
  EXPECT_EQ(counts->stored, 1U);
  EXPECT_EQ(owed_.stats().items, 0U);
}

// What is owed was acknowledged to nobody.
TEST_F(OwedWorkTest, WhatTheLogHasLetGoIsOwedNoMore) {
  store_.refused = {1, 2};
  EXPECT_FALSE(append(1, {{kStart, 1}}, kEpoch));
  EXPECT_FALSE(append(2, {{kStart, 1}}, kEpoch + 1));
  owed_.let_go(kEpoch + 1);
  EXPECT_EQ(owed_.stats().items, 2U) << "its cursor may not be on disk";
  owed_.let_go(kEpoch + 1);
  EXPECT_EQ(owed_.stats().items, 1U);
  store_.refused.clear();
  EXPECT_EQ(append(1, {{kStart, 9}}).value().stored, 1U);
  EXPECT_EQ(append(2, {{kStart, 9}}).value().conflicts, 1U);
}

TEST_F(OwedWorkTest, WhatIsNotTakenForLongKeepsNothingBack) {
  store_.refused = {1};
  EXPECT_FALSE(append(1, {{kStart, 1}}));
  store_.refused.clear();
  const heads::Epoch later = kEpoch + OwedWork::kOwedFor + 1;
  EXPECT_EQ(append(1, {{kStart, 9}}, later).value().stored, 1U);
  EXPECT_EQ(owed_.stats().items, 0U);
}

TEST_F(OwedWorkTest, IsBoundedByCustomerAndSaysWhatItForgets) {
  OwedWork small(heads_, 8'192);
  std::vector<heads::StoreWork> work;
  for (std::uint64_t series = 1; series <= 100; ++series) {
    const Sample sample{kStart, 1};
    heads_.append_known({{1}, {series}}, {&sample, 1}, {}, kEpoch, work);
  }
  for (heads::StoreWork& one : work) small.owe(std::move(one));
  EXPECT_GT(small.stats().items, 5U);
  EXPECT_LT(small.stats().items, 60U);
  EXPECT_EQ(small.stats().items + small.stats().forgotten, 100U);
}

// Its samples are in the log: they would be refused for good, and come back after a kill.
TEST_F(OwedWorkTest, AHeadWhoseSamplesWaitIsNotForgotten) {
  ASSERT_TRUE(append(1, {{kStart, 1}}));
  std::vector<heads::StoreWork> work;
  const Sample late{kStart - 1, 2};
  heads_.append_known({{1}, {1}}, {&late, 1}, {}, kEpoch, work);
  ASSERT_EQ(work.size(), 1U);
  ASSERT_TRUE(heads_.sweep({kEpoch, kStart, true}));  // closes what is open
  ASSERT_TRUE(heads_.sweep({kEpoch + 10'000, kStart}));
  EXPECT_EQ(owed_.append(std::move(work[0])).value().late, 1U);
  ASSERT_TRUE(heads_.sweep({kEpoch + 10'000, kStart, true}));
  ASSERT_TRUE(heads_.sweep({kEpoch + 20'000, kStart}));
  EXPECT_EQ(heads_.stats().open_series, 0U);
}

}  // namespace
}  // namespace vigia::storage::ingest
