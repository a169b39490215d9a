// What each customer and all together may have aside, and what goes for room.
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/collector/side/testing/side_queue_fixture.hpp"

namespace vigia::collector::side {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(SideQueueTest, ACustomerOverItsShareLosesItsOwnOldestCounted) {
  settings_.customer_bytes_max = 80;
  reopen();
  ASSERT_TRUE(queue_->put(units_of("b", "neighbour")));
  ASSERT_TRUE(queue_->put(units_of("a", "1")));
  ASSERT_TRUE(queue_->put(units_of("a", std::string(15, '2'))));
  EXPECT_EQ(evicted_, 1U);
  EXPECT_THAT(picked(), ElementsAre(std::string(15, '2'), "neighbour"));
}

TEST_F(SideQueueTest, OverTheWholeBoundTheLargestGivesWay) {
  settings_.bytes_max = 105;
  reopen();
  ASSERT_TRUE(queue_->put(units_of("b", "x")));
  ASSERT_TRUE(queue_->put(units_of("a", std::string(15, '1'))));
  ASSERT_TRUE(queue_->put(units_of("a", std::string(5, '2'))));
  EXPECT_EQ(evicted_, 15U);
  EXPECT_THAT(picked(), ElementsAre("22222", "x"));
}

TEST_F(SideQueueTest, ARequiredDestinationsQueueKeepsEverythingAndNamesWhoIsAtItsShare) {
  settings_.is_required = true;
  settings_.exporter = "otlphttp/cold";
  settings_.shares = &shares_;
  settings_.customer_bytes_max = 3 * SideQueue::kEntryRoom;
  settings_.customer_entries_max = 2;
  settings_.bytes_max = 1U << 20U;
  reopen();
  ASSERT_TRUE(queue_->put(units_of("b", "neighbour")));
  ASSERT_TRUE(queue_->put(units_of("a", "1")));
  ASSERT_TRUE(queue_->put(units_of("a", "2")));
  EXPECT_FALSE(held("a"));
  for (const char* letters : {"3", "4", "5", "6"}) ASSERT_TRUE(queue_->put(units_of("a", letters)));
  EXPECT_TRUE(held("a"));
  EXPECT_TRUE(queue_->is_at_share(*CustomerId::parse("a")));
  EXPECT_FALSE(held("b"));
  EXPECT_EQ(queue_->stats().entries, 7U);
  shares_.publish("otlphttp/cold", {});
  reopen();
  EXPECT_TRUE(held("a"));
  const auto work = pick();
  ASSERT_EQ(work.size(), 2U);
  ASSERT_EQ(work[0].size(), 6U);
  EXPECT_EQ(queue_->load(work[0].front())->parcel.message, "1");
  queue_->remove(work[0]);
  EXPECT_FALSE(held("a"));
  EXPECT_EQ(evicted_, 0U);
}

TEST_F(SideQueueTest, WhileUnitsHaveHalfOfTheShareNoRecordsBecomeMore) {
  settings_.is_required = true;
  settings_.customer_bytes_max = 20;
  reopen();
  const CustomerId customer = *CustomerId::parse("a");
  ASSERT_TRUE(queue_->put(records_of("a", std::string(100, 'r'))));
  ASSERT_TRUE(queue_->put(units_of("a", "1", delivery::Parcel::SearchStage::kSuspect)));
  EXPECT_TRUE(queue_->has_room_for_units(customer));
  ASSERT_TRUE(queue_->put(units_of("a", "2", delivery::Parcel::SearchStage::kSuspect)));
  EXPECT_FALSE(queue_->has_room_for_units(customer));
  for (const char* suspect : {"1", "2"}) {
    const auto work = pick();
    ASSERT_EQ(work.size(), 1U);
    EXPECT_EQ(queue_->load(work[0].front())->parcel.message, suspect);
    queue_->put_back(work[0], std::chrono::seconds(1));
  }
  EXPECT_THAT(pick(), IsEmpty());
  clock_.advance(std::chrono::seconds(1));
  queue_->remove(pick()[0]);
  EXPECT_TRUE(pick()[0].front().head.holds_records);
}

TEST_F(SideQueueTest, OverARequiredDestinationsWholeBoundWhoHoldsAnEqualPartIsNamed) {
  settings_.is_required = true;
  settings_.exporter = "otlphttp/cold";
  settings_.shares = &shares_;
  settings_.bytes_max = 6 * SideQueue::kEntryRoom;
  reopen();
  for (const char* letters : {"1", "2", "3", "4"}) ASSERT_TRUE(queue_->put(units_of("a", letters)));
  ASSERT_TRUE(queue_->put(units_of("b", "x")));
  EXPECT_FALSE(held("a"));
  ASSERT_TRUE(queue_->put(units_of("c", "y")));
  ASSERT_TRUE(held("a"));
  EXPECT_EQ(held("a")->bytes_max, 2 * SideQueue::kEntryRoom);
  EXPECT_FALSE(held("b"));
  EXPECT_FALSE(held("c"));
  EXPECT_EQ(evicted_, 0U);
  queue_->remove({pick().front().front()});
  EXPECT_FALSE(held("a"));
}

TEST_F(SideQueueTest, WhatIsNotRequiredHoldsNobodyUp) {
  settings_.exporter = "otlphttp/cold";
  settings_.shares = &shares_;
  settings_.customer_bytes_max = 1;
  reopen();
  ASSERT_TRUE(queue_->put(units_of("a", "123")));
  EXPECT_FALSE(held("a"));
  EXPECT_FALSE(queue_->is_at_share(*CustomerId::parse("a")));
}

TEST_F(SideQueueTest, WhoseRefusalsAreOverTheirShareLosesNothingForRoomAnywhere) {
  settings_.exporter = "otlphttp/cold";
  settings_.shares = &shares_;
  settings_.customer_bytes_max = 80;
  settings_.bytes_max = 105;
  bool is_short = true;
  settings_.keeps_all_of = [&is_short](const CustomerId& customer) {
    return is_short && customer.text() == "a";
  };
  reopen();
  const std::string most(15, '2');  // a unit more is over the share
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue_->put(units_of("a", most)));
  ASSERT_TRUE(held("a"));
  EXPECT_EQ(held("a")->bytes_max, 80U);
  EXPECT_TRUE(queue_->is_at_share(*CustomerId::parse("a")));
  // Others keep their own bounds, and have not less room for it.
  for (const char* letters : {"x", "y"}) ASSERT_TRUE(queue_->put(units_of("b", letters)));
  EXPECT_EQ(evicted_, 0U);
  ASSERT_TRUE(queue_->put(units_of("b", most)));
  EXPECT_EQ(evicted_, 2U);
  EXPECT_FALSE(held("b"));
  // Its share is whole again, but what waits of it is more than it would be let have.
  is_short = false;
  ASSERT_TRUE(queue_->put(units_of("a", "0")));
  reopen();
  EXPECT_TRUE(held("a"));
  ASSERT_TRUE(queue_->put(units_of("a", "0")));
  EXPECT_EQ(evicted_, 2U);
  for (const auto& items : pick()) queue_->remove(items);
  EXPECT_FALSE(held("a"));
  ASSERT_TRUE(queue_->put(units_of("a", "1")));
  ASSERT_TRUE(queue_->put(units_of("a", most)));
  EXPECT_EQ(evicted_, 3U) << "as anybody's, once nothing of it waits";
}

/// Each is below its share; together they were over the whole bound, and after a restart the first
/// entry of anybody's let them go down to it.
TEST_F(SideQueueTest, WhoWasKeptBeforeAKillIsKeptAfterIt) {
  settings_.bytes_max = 105;
  bool is_short = true;
  settings_.keeps_all_of = [&is_short](const CustomerId& customer) {
    return is_short && customer.text() != "other";
  };
  reopen();
  for (const char* customer : {"a", "b", "c"})
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(queue_->put(units_of(customer, std::string(15, '2'))));
  ASSERT_GT(queue_->stats().bytes, settings_.bytes_max);
  is_short = false;  // what refusals may cost is not written down: it is whole at a start
  for (int i = 0; i < 2; ++i) {
    files_.cut_power();
    reopen();
    ASSERT_TRUE(queue_->put(units_of("other", "x")));
    EXPECT_EQ(evicted_, 0U);
  }
  EXPECT_THAT(files_.names("/side"), AllOf(Contains("a.kept"), Contains("b.kept")));
  for (const auto& items : pick()) queue_->remove(items);
  EXPECT_THAT(files_.names("/side"), IsEmpty()) << "as anybody, once nothing of it waits";
}

TEST_F(SideQueueTest, ALoweredBoundKeepsNobodyThatWasNotKept) {
  settings_.exporter = "otlphttp/cold";
  settings_.shares = &shares_;
  settings_.keeps_all_of = [](const CustomerId&) { return false; };
  reopen();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue_->put(units_of("a", std::string(15, '2'))));
  settings_.customer_bytes_max = 80;
  settings_.is_required = true;
  reopen();
  EXPECT_TRUE(held("a"));
  shares_.publish("otlphttp/cold", {});
  settings_.is_required = false;
  reopen();
  EXPECT_FALSE(held("a"));
  ASSERT_TRUE(queue_->put(units_of("a", "0")));
  EXPECT_GT(evicted_, 0U);
}

TEST_F(SideQueueTest, ThatACustomerIsKeptIsOnTheDiskBeforeWhatIsKept) {
  settings_.keeps_all_of = [](const CustomerId&) { return true; };
  reopen();
  files_.fail_when([&](std::string_view call, const std::string& path) {
    return call == "rename" && path.ends_with(".side.new");
  });
  ASSERT_FALSE(queue_->put(units_of("a", "1")));
  EXPECT_THAT(files_.names("/side"), IsEmpty()) << "nothing of it waits";
  std::vector<std::string> calls;
  files_.fail_when([&](std::string_view call, const std::string& path) {
    if (path == "/side/a.kept" || path == "/side" || call == "rename")
      calls.push_back(std::string(call) + " " + path);
    return false;
  });
  ASSERT_TRUE(queue_->put(units_of("a", "1")));
  EXPECT_THAT(calls, ElementsAre("create /side/a.kept", "sync /side/a.kept", "sync /side",
                                 HasSubstr("rename"), "sync /side"));
}

TEST_F(SideQueueTest, AMarkThatCannotBeWrittenIsWrittenLater) {
  settings_.bytes_max = 105;
  bool is_short = true;
  settings_.keeps_all_of = [&is_short](const CustomerId&) { return is_short; };
  reopen();
  files_.fail_when(
      [](std::string_view /*call*/, const std::string& path) { return path.ends_with(".kept"); });
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(queue_->put(units_of("a", std::string(15, '2'))));
  EXPECT_EQ(evicted_, 0U) << "kept meanwhile, until a restart";
  EXPECT_THAT(files_.names("/side"), Not(Contains("a.kept")));
  files_.fail_when([](std::string_view /*call*/, const std::string& /*path*/) { return false; });
  queue_->keep_room();
  is_short = false;
  files_.cut_power();
  reopen();
  ASSERT_TRUE(queue_->put(units_of("a", "x")));
  EXPECT_EQ(evicted_, 0U);
}

TEST_F(SideQueueTest, AMarkOfWhomNothingWaitsGoesAtTheStart) {
  settings_.keeps_all_of = [](const CustomerId&) { return false; };
  files_.set_content("/side/a.kept", "");
  reopen();
  EXPECT_THAT(files_.names("/side"), IsEmpty());
}

TEST_F(SideQueueTest, WhereTheLargestHasNothingToGiveTheNextOneDoes) {
  settings_.bytes_max = 300;
  settings_.customer_bytes_max = 1000;
  reopen();
  ASSERT_TRUE(queue_->put(units_of("large", std::string(100, 'x'))));  // its newest, and only one
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(queue_->put(units_of("small", "yyyyy")));
  EXPECT_GT(evicted_, 0U);
  EXPECT_EQ(evicted_ % 5, 0U) << "of the small ones";
}

/// Killed between the two, the entry was gone and nobody knew of it.
TEST_F(SideQueueTest, WhatIsLetGoIsToldBeforeItsFileGoesAndWhileItWaits) {
  settings_.customer_bytes_max = 80;
  reopen();
  std::vector<std::string> calls;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(queue_->put(units_of("a", "x")));
  const std::uint64_t waiting = queue_->stats().entries;
  files_.fail_when([&](std::string_view call, const std::string& /*path*/) {
    if (call == "remove") calls.emplace_back("remove");
    return false;
  });
  on_evicted_ = [&] {
    calls.emplace_back("told");
    EXPECT_GT(queue_->stats().entries, waiting);
    EXPECT_EQ(queue_->oldest_by_customer().size(), 1U);
    EXPECT_THAT(pick(), IsEmpty()) << "nobody sends what is on its way out";
  };
  ASSERT_TRUE(queue_->put(units_of("a", std::string(15, 'y'))));
  EXPECT_THAT(calls, ElementsAre("told", "told", "remove", "remove"));
  EXPECT_EQ(queue_->stats().entries, 1U);
  on_evicted_ = [] {};
  ASSERT_TRUE(queue_->put(units_of("a", std::string(15, 'z'))));
  EXPECT_THAT(picked(), ElementsAre(std::string(15, 'z')));
}

TEST_F(SideQueueTest, OfASmallDiskACustomersShareIsAQuarter) {
  SideShares shares;
  std::uint64_t free = 40'000;
  settings_.is_required = true;
  settings_.shares = &shares;
  settings_.free_bytes = [&free] { return free; };
  reopen();
  const CustomerId a = *CustomerId::parse("a");
  ASSERT_TRUE(queue_->put(units_of("a", "xyz")));
  EXPECT_FALSE(queue_->is_at_share(a));
  free = 10'000;
  queue_->keep_room();
  EXPECT_TRUE(queue_->is_at_share(a));
  free = 1'000'000;
  queue_->keep_room();
  EXPECT_FALSE(queue_->is_at_share(a));
}

// A disk that cannot say what is free says the largest number there is.
TEST_F(SideQueueTest, OfADiskOfUnknownRoomACustomersShareIsWhole) {
  SideShares shares;
  settings_.is_required = true;
  settings_.shares = &shares;
  settings_.free_bytes = [] { return std::numeric_limits<std::uint64_t>::max(); };
  reopen();
  ASSERT_TRUE(queue_->put(units_of("a", "xyz")));
  EXPECT_FALSE(queue_->is_at_share(*CustomerId::parse("a")));
}

}  // namespace
}  // namespace vigia::collector::side
