// Units that have failed alone: how they are merged, and how little they hold up.
#include "services/collector/side/suspects.hpp"

#include <set>

#include <gtest/gtest.h>

#include "services/collector/side/testing/side_queue_fixture.hpp"

namespace vigia::collector::side {
namespace {

/// A unit's letter is its series.
class LetterPacker final : public delivery::Packer {
 public:
  Result<delivery::Packed> pack(std::uint32_t /*index*/, const delivery::OtlpRecord& /*record*/,
                                delivery::Place /*from*/, std::size_t /*bytes_max*/,
                                delivery::Parcel& /*parcel*/) override {
    return delivery::Packed{};
  }
  std::string describe(std::string_view unit) const override { return std::string(unit); }
  std::string_view kind_of(std::string_view unit) const override { return unit; }
};

class SuspectsTest : public SideQueueTest {
 protected:
  /// As the side lane does after it has put some.
  void put_suspects(int count, std::string_view letters) {
    for (int i = 0; i < count; ++i) {
      SideEntry entry = units_of("a", letters, delivery::Parcel::SearchStage::kSuspect);
      ASSERT_TRUE(queue_->put(std::move(entry)));
      merge_suspects(*queue_, packer_, {.customer = *CustomerId::parse("a")}, kGiveUpAfter);
    }
  }
  static constexpr auto kGiveUpAfter = std::chrono::hours(24);
  LetterPacker packer_;
};

// 64,800 of them, one a second, were the customer's whole share after 18 hours.
TEST_F(SuspectsTest, ASeriesThatFailsForADayTakesLittleRoom) {
  std::string value(300, 'v');
  const auto minute = [&](int n) {
    SideEntry entry = units_of("a", "s", delivery::Parcel::SearchStage::kSuspect);
    entry.parcel.message = value + std::to_string(n);
    ASSERT_TRUE(queue_->put(std::move(entry)));
    merge_suspects(*queue_, packer_, {.customer = *CustomerId::parse("a")}, kGiveUpAfter);
    clock_.advance(std::chrono::minutes(1));
  };
  for (int n = 1000; n < 1000 + 24 * 60; ++n) minute(n);
  const SideQueueStats stats = queue_->stats();
  EXPECT_EQ(stats.items, 24U * 60);
  EXPECT_LE(stats.entries, (kAgeParts + 1) * SideQueue::kMergeEntries);
  EXPECT_LT(stats.bytes, 24U * 60 * 300 / 4);
  files_.cut_power();
  reopen();
  EXPECT_EQ(found_, 24U * 60);
  std::set<std::string> values;
  for (auto work = pick(); !work.empty(); work = pick()) {
    for (const SideItem& item : work.front()) {
      const delivery::Parcel parcel = queue_->load(item)->parcel;
      for (std::size_t unit = 0; unit < parcel.units.size(); ++unit)
        values.emplace(parcel.run(unit, unit + 1));
    }
    queue_->remove(work.front());
  }
  EXPECT_EQ(values.size(), 24U * 60);
}

TEST_F(SuspectsTest, TheMergedKeepTheirAgeTheirSeriesAndTheirOldestReceipt) {
  SideEntry old = units_of("a", "ba", delivery::Parcel::SearchStage::kSuspect);
  old.head.received_ms = 2;
  ASSERT_TRUE(queue_->put(std::move(old)));
  clock_.advance(std::chrono::minutes(1));
  const TimePoint youngest = clock_.steady();
  put_suspects(SideQueue::kMergeEntries - 1, "ba");
  ASSERT_EQ(queue_->stats().entries, 1U);
  EXPECT_EQ(queue_->stats().oldest_received_ms, 2);
  const SideItem merged = pick().front().front();
  EXPECT_EQ(merged.since, youngest);
  const delivery::Parcel parcel = queue_->load(merged)->parcel;
  EXPECT_EQ(parcel.message, std::string(16, 'a') + std::string(16, 'b'));
  std::set<std::uint32_t> items;
  for (const delivery::Unit& unit : parcel.units) items.insert(unit.item);
  EXPECT_EQ(items.size(), 32U);  // as many points, whose numbers were the same in each entry
  EXPECT_EQ(nth_kind(packer_, parcel, 0), 0U);
  EXPECT_EQ(nth_kind(packer_, parcel, 1), 16U);
  EXPECT_EQ(nth_kind(packer_, parcel, 2), 0U);
}

TEST_F(SuspectsTest, WhatIsToBeGivenUpHoursApartStaysApart) {
  put_suspects(SideQueue::kMergeEntries - 1, "a");
  clock_.advance(kGiveUpAfter / kAgeParts);
  put_suspects(SideQueue::kMergeEntries - 1, "a");
  EXPECT_EQ(queue_->stats().entries, 2 * SideQueue::kMergeEntries - 2);
  put_suspects(1, "a");
  EXPECT_EQ(queue_->stats().entries, SideQueue::kMergeEntries);
}

TEST_F(SuspectsTest, OneThatCannotBeReadStaysForItsOwnTurn) {
  put_suspects(SideQueue::kMergeEntries - 1, "a");
  files_.set_content("/side/0000000000000003.side", "damaged");
  put_suspects(1, "a");
  EXPECT_EQ(queue_->stats().entries, 2U);
  EXPECT_EQ(queue_->stats().items, 16U);
}

TEST_F(SuspectsTest, AFullDiskLeavesThemAsTheyAre) {
  put_suspects(SideQueue::kMergeEntries - 1, "a");
  ASSERT_TRUE(queue_->put(units_of("a", "a", delivery::Parcel::SearchStage::kSuspect)));
  files_.fail_when([](std::string_view call, const std::string&) { return call == "write"; });
  merge_suspects(*queue_, packer_, {.customer = *CustomerId::parse("a")}, kGiveUpAfter);
  EXPECT_EQ(queue_->stats().entries, SideQueue::kMergeEntries);
  EXPECT_EQ(pick().size(), 1U);
}

TEST_F(SuspectsTest, ACustomersFreshDataTakesTurnsWithItsSuspects) {
  put_suspects(3, "s");
  for (const char* letters : {"1", "2"}) ASSERT_TRUE(queue_->put(units_of("a", letters)));
  std::string order;
  for (auto work = pick(); !work.empty(); work = pick()) {
    for (const SideItem& item : work.front()) order += queue_->load(item)->parcel.message;
    queue_->remove(work.front());
  }
  EXPECT_EQ(order, "s12ss");
}

}  // namespace
}  // namespace vigia::collector::side
