// What waits aside, in whose turn, over kills, full disks and damage.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/bytes.hpp"
#include "services/collector/side/testing/side_queue_fixture.hpp"

namespace vigia::collector::side {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(SideQueueTest, CountsWhatWaitsOfEachCustomer) {
  using Items = std::map<std::string, std::uint64_t>;
  ASSERT_TRUE(queue_->put(units_of("a", "xyz")));
  ASSERT_TRUE(queue_->put(records_of("a", "body")));
  ASSERT_TRUE(queue_->put(units_of("b", "u")));
  EXPECT_EQ(queue_->items_by_customer(), (Items{{"a", 6}, {"b", 1}}));
  reopen();
  EXPECT_EQ(queue_->items_by_customer(), (Items{{"a", 6}, {"b", 1}}));
  auto item = pick()[0][0];
  SideEntry left = units_of("a", "x");
  ASSERT_TRUE(queue_->replace(item, std::move(left)));
  EXPECT_EQ(queue_->items_by_customer(), (Items{{"a", 4}, {"b", 1}}));
  queue_->remove({item});
  EXPECT_EQ(queue_->items_by_customer(), (Items{{"a", 3}, {"b", 1}}));
}

// What is put off for itself keeps nothing else of its customer's back, and nothing following it.
TEST_F(SideQueueTest, WhatIsPostponedWaitsAlone) {
  ASSERT_TRUE(queue_->put(units_of("a", "x")));
  const auto first = pick();
  ASSERT_EQ(first.size(), 1U);
  queue_->postpone(first[0], std::chrono::hours(1));
  EXPECT_FALSE(queue_->holds_fresh(*CustomerId::parse("a"), Signal::kMetrics));
  ASSERT_TRUE(queue_->put(units_of("a", "y")));
  EXPECT_TRUE(queue_->holds_fresh(*CustomerId::parse("a"), Signal::kMetrics));
  EXPECT_THAT(picked(), ElementsAre("y"));
}

TEST_F(SideQueueTest, WhatWasPutIsThereAfterThePowerWent) {
  ASSERT_TRUE(queue_->put(units_of("a", "xyz")));
  ASSERT_TRUE(queue_->put(records_of("b", "body")));
  files_.cut_power();
  reopen();
  EXPECT_EQ(found_, 6U);
  const auto work = pick();
  ASSERT_EQ(work.size(), 2U);
  const auto units = queue_->load(work[0].front());
  ASSERT_TRUE(units);
  EXPECT_EQ(units->parcel.run(1, 2), "y");
  EXPECT_EQ(units->parcel.units[1].timestamp_ms, -'y');
  EXPECT_EQ(units->parcel.units[1].item, std::uint32_t{'y'});
  const auto records = queue_->load(work[1].front());
  ASSERT_TRUE(records);
  EXPECT_EQ(records->records[0].stored, "body");
  EXPECT_EQ(records->records[0].verdicts, "verdicts");
  EXPECT_EQ(records->records[0].from, (delivery::Place{2, 1}));
  EXPECT_EQ(records->head.received_ms, 7);
}

TEST_F(SideQueueTest, WhatIsDoneDoesNotComeAgain) {
  ASSERT_TRUE(queue_->put(units_of("a", "xyz")));
  queue_->remove(pick().front());
  EXPECT_EQ(queue_->stats().entries, 0U);
  EXPECT_THAT(pick(), IsEmpty());
  reopen();
  EXPECT_EQ(found_, 0U);
}

TEST_F(SideQueueTest, CustomersComeInTurnAndOnesEntriesTogether) {
  for (const char* letters : {"1", "2", "3"}) ASSERT_TRUE(queue_->put(units_of("a", letters)));
  ASSERT_TRUE(queue_->put(units_of("b", "x")));
  EXPECT_THAT(picked(), ElementsAre("123", "x"));
  EXPECT_THAT(pick(), IsEmpty());  // somebody has them
}

TEST_F(SideQueueTest, WhatIsPutBackWaitsAndOthersDoNot) {
  ASSERT_TRUE(queue_->put(units_of("a", "1")));
  ASSERT_TRUE(queue_->put(units_of("b", "x")));
  queue_->put_back(pick().front(), std::chrono::seconds(5));
  ASSERT_TRUE(queue_->put(units_of("c", "y")));
  EXPECT_THAT(picked(), ElementsAre("y"));
  clock_.advance(std::chrono::seconds(6));
  EXPECT_THAT(picked(), ElementsAre("1"));
}

TEST_F(SideQueueTest, SuspectsGoAloneAndEachWaitsForItself) {
  ASSERT_TRUE(queue_->put(units_of("a", "1", delivery::Parcel::SearchStage::kSuspect)));
  ASSERT_TRUE(queue_->put(units_of("a", "2", delivery::Parcel::SearchStage::kSuspect)));
  auto first = pick();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first.front().size(), 1U);
  queue_->put_back(first.front(), std::chrono::seconds(5));
  EXPECT_THAT(picked(), ElementsAre("2"));
}

TEST_F(SideQueueTest, EachTryOnAFullDiskLeavesNoFile) {
  ASSERT_TRUE(queue_->put(units_of("b", "x")));
  for (const std::string failing : {"write", "sync", "rename", "sync /side"}) {
    files_.fail_when([&failing](std::string_view call, const std::string& path) {
      const bool is_folder = path == "/side";
      return is_folder ? failing == "sync /side" : call == failing;
    });
    EXPECT_FALSE(queue_->put(units_of("a", "xyz"))) << failing;
    files_.fail_when({});
    EXPECT_EQ(files_.names("/side").size(), 1U) << failing;
  }
}

TEST_F(SideQueueTest, OfWhatIsPutTogetherAllIsThereOrNone) {
  int writes = 0;
  files_.fail_when([&](std::string_view call, const std::string& path) {
    return call == "write" && path.find("/side/") == 0 && ++writes == 2;
  });
  std::vector<SidePut> puts;
  puts.push_back({units_of("a", "xyz")});
  puts.push_back({units_of("b", "uv")});
  EXPECT_FALSE(queue_->put_all(puts));
  EXPECT_EQ(queue_->stats().entries, 0U);
  EXPECT_THAT(files_.names("/side"), IsEmpty());
  ASSERT_TRUE(queue_->put_all(puts));  // the same again
  EXPECT_THAT(picked(), ElementsAre("xyz", "uv"));
  reopen();
  EXPECT_EQ(found_, 5U);
}

TEST_F(SideQueueTest, AnEntryThatIsDamagedForGoodIsKeptForAPerson) {
  ASSERT_TRUE(queue_->put(units_of("a", "xyz")));
  const auto items = pick().front();
  queue_->quarantine(items.front());
  EXPECT_EQ(queue_->stats().entries, 0U);
  EXPECT_EQ(queue_->damaged(), 1U);
  EXPECT_THAT(files_.names("/side"), ElementsAre("0000000000000001.side.damaged"));
}

TEST_F(SideQueueTest, AFullDiskRefusesAndNothingIsHalfThere) {
  files_.fail_when([](std::string_view call, const std::string&) { return call == "sync"; });
  EXPECT_FALSE(queue_->put(units_of("a", "xyz")));
  files_.fail_when({});
  EXPECT_EQ(queue_->stats().entries, 0U);
  reopen();
  EXPECT_EQ(found_, 0U);
}

TEST_F(SideQueueTest, OneDamagedEntryIsOneEntry) {
  ASSERT_TRUE(queue_->put(units_of("a", "xyz")));
  ASSERT_TRUE(queue_->put(units_of("b", "uvw")));
  const std::string path = "/side/0000000000000001.side";
  std::string bytes = files_.content(path);
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  files_.set_content(path, bytes);
  reopen();
  EXPECT_EQ(queue_->damaged(), 1U);
  EXPECT_THAT(picked(), ElementsAre("uvw"));
  EXPECT_THAT(files_.names("/side"), testing::Contains("0000000000000001.side.damaged"));
}

TEST_F(SideQueueTest, DamageInTheContentIsSeenWhenItIsLoaded) {
  ASSERT_TRUE(queue_->put(units_of("a", "xyz")));
  const std::string path = "/side/0000000000000001.side";
  std::string bytes = files_.content(path);
  bytes.back() = 'y';
  files_.set_content(path, bytes);
  const auto loaded = queue_->load(pick().front().front());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
}

TEST_F(SideQueueTest, WhatIsLeftReplacesTheEntry) {
  ASSERT_TRUE(queue_->put(records_of("a", "body")));
  auto work = pick().front();
  SideEntry rest = *queue_->load(work.front());
  rest.records[0].from = {3, 0};
  rest.head.items = 1;
  ASSERT_TRUE(queue_->replace(work.front(), std::move(rest)));
  EXPECT_EQ(queue_->stats().items, 1U);
  reopen();
  EXPECT_EQ(found_, 1U);
  EXPECT_EQ(queue_->load(pick().front().front())->records[0].from, (delivery::Place{3, 0}));
}

// The file has its name already: what is before the place is not in it any more.
TEST_F(SideQueueTest, OfARestThatIsNamedAndNotSyncedNothingIsSkipped) {
  SideEntry entry = records_of("a", "r0");
  for (const char* body : {"r1", "r2", "r3", "r4"}) {
    entry.records.push_back({.items = 1});
    entry.records.back().pack({disk_log::BodyEncoding::kPlain, body});
  }
  ASSERT_TRUE(queue_->put(std::move(entry)));
  SideItem item = pick().front().front();
  item.place = SidePlace{2, {}};  // two are sent
  item.head.items = 3;
  bool is_failing = true;
  files_.fail_when([&](std::string_view call, const std::string& path) {
    return is_failing && call == "sync" && path == "/side";
  });
  queue_->shorten(item);
  is_failing = false;
  queue_->put_back({item}, Duration::zero());
  const SideItem rest = pick().front().front();
  const auto read = queue_->load(rest);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->records.size(), 3U);
  EXPECT_EQ(read->records[0].stored, "r2");
  EXPECT_EQ(rest.head.items, 3U);
  EXPECT_EQ(queue_->stats().items, 3U);
}

// A kill in between must not make it as if nothing had been there.
TEST_F(SideQueueTest, ADamagedEntryIsToldOfBeforeItsFileLosesItsName) {
  ASSERT_TRUE(queue_->put(units_of("a", "xyz")));
  files_.set_content("/side/0000000000000001.side", "damaged");
  std::vector<std::string> names;
  settings_.on_damaged = [&] { names = files_.names("/side"); };
  reopen();
  EXPECT_THAT(names, ElementsAre("0000000000000001.side"));
  EXPECT_THAT(files_.names("/side"), ElementsAre("0000000000000001.side.damaged"));
}

}  // namespace
}  // namespace vigia::collector::side
