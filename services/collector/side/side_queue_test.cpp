#include "services/collector/side/side_queue.hpp"

#include <fstream>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/disk_log/testing/memory_files.hpp"
#include "libs/net/compression.hpp"
#include "services/collector/side/suspects.hpp"

namespace vigia::collector::side {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kNowNs = 1'700'000'000'000'000'000;

SideEntry units_of(std::string_view customer, std::string_view letters,
                   delivery::Parcel::Stage stage = delivery::Parcel::Stage::kFresh) {
  const CustomerId id = *CustomerId::parse(customer);
  SideEntry entry{{.customer = id, .stage = stage, .received_ms = 5, .items = letters.size()},
                  {.customer = id},
                  {}};
  for (const char letter : letters) {
    entry.parcel.units.push_back({.begin = entry.parcel.message.size(),
                                  .item = static_cast<std::uint32_t>(letter),
                                  .timestamp_ms = -letter});
    entry.parcel.message += letter;
  }
  return entry;
}

SideEntry records_of(std::string_view customer, std::string body,
                     disk_log::BodyEncoding encoding = disk_log::BodyEncoding::kPlain) {
  const CustomerId id = *CustomerId::parse(customer);
  SideEntry entry{{.customer = id, .signal = Signal::kLogs, .received_ms = 7, .items = 3},
                  {.customer = id},
                  {}};
  entry.records.push_back({.items = 4, .rejected = 1, .verdicts = "verdicts", .from = {2, 1}});
  entry.records.back().pack({encoding, std::move(body)});
  return entry;
}

class SideQueueTest : public testing::Test {
 protected:
  SideQueueTest() {
    settings_.directory = "/side";
    reopen();
  }
  void reopen() {
    queue_.reset();
    found_ = 0;
    auto opened = SideQueue::open(
        settings_, clock_, [this](const SideHead& head) { found_ += head.items; },
        [this](const SideHead& head) {
          evicted_ += head.items;
          on_evicted_();
        },
        files_);
    ASSERT_TRUE(opened) << opened.error().message;
    queue_ = *std::move(opened);
  }
  std::vector<std::vector<SideItem>> pick(std::size_t customers = 8) {
    return queue_->pick(customers, 1U << 20U, [](const CustomerId&) { return true; });
  }
  /// The messages of what is picked, a customer's together.
  std::vector<std::string> picked() {
    std::vector<std::string> texts;
    for (const auto& items : pick()) {
      texts.emplace_back();
      for (const SideItem& item : items) texts.back() += queue_->load(item)->parcel.message;
    }
    return texts;
  }

  std::optional<SideHold> held(std::string_view customer) const {
    return shares_.find("otlphttp/cold", *CustomerId::parse(customer));
  }

  SideShares shares_;
  SideQueueSettings settings_;
  ManualClock clock_{kNowNs};
  disk_log::MemoryFiles files_;
  std::uint64_t found_ = 0;
  std::uint64_t evicted_ = 0;
  std::function<void()> on_evicted_ = [] {};
  std::unique_ptr<SideQueue> queue_;
};

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
  ASSERT_TRUE(queue_->put(units_of("a", "1", delivery::Parcel::Stage::kSuspect)));
  ASSERT_TRUE(queue_->put(units_of("a", "2", delivery::Parcel::Stage::kSuspect)));
  auto first = pick();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first.front().size(), 1U);
  queue_->put_back(first.front(), std::chrono::seconds(5));
  EXPECT_THAT(picked(), ElementsAre("2"));
}

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
  ASSERT_TRUE(queue_->put(units_of("a", "1", delivery::Parcel::Stage::kSuspect)));
  EXPECT_TRUE(queue_->has_room_for_units(customer));
  ASSERT_TRUE(queue_->put(units_of("a", "2", delivery::Parcel::Stage::kSuspect)));
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
      SideEntry entry = units_of("a", letters, delivery::Parcel::Stage::kSuspect);
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
    SideEntry entry = units_of("a", "s", delivery::Parcel::Stage::kSuspect);
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
  SideEntry old = units_of("a", "ba", delivery::Parcel::Stage::kSuspect);
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
  ASSERT_TRUE(queue_->put(units_of("a", "a", delivery::Parcel::Stage::kSuspect)));
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

/// The bytes on disk, docs/formats/side-queue.md. Where this fails old entries can't be read any
/// more: make a new version instead.
std::string golden(const std::string& name) {
  std::ifstream file("tests/golden/side_queue/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

const std::string kLongBody(200, 'l');

TEST(SideEntry, GoldenFilesAreReadAndWritten) {
  using Names = std::vector<std::string>;
  const auto same_as = [](SideEntry entry, const std::string& name, const Names& before) {
    std::string bytes;
    for (const std::string_view part : encode_side_entry(entry).parts) bytes += part;
    if (std::getenv("VIGIA_WRITE_GOLDEN") != nullptr)
      std::ofstream("tests/golden/side_queue/" + name, std::ios::binary) << bytes;
    EXPECT_EQ(bytes, golden(name));
    Names versions = before;
    versions.push_back(name);
    for (const std::string& version : versions) {
      auto decoded = decode_side_entry(golden(version));
      ASSERT_TRUE(decoded) << decoded.error().message;
      EXPECT_EQ(decoded->head.customer, entry.head.customer);
      EXPECT_EQ(decoded->head.items, entry.head.items);
      EXPECT_EQ(decoded->parcel.message, entry.parcel.message);
      ASSERT_EQ(decoded->records.size(), entry.records.size());
      for (SideRecord& record : decoded->records) {
        ASSERT_TRUE(record.open());
        EXPECT_EQ(record.plain(), name == "records-lz4-v4.side" ? kLongBody : "a body");
        EXPECT_EQ(record.verdicts, "verdicts");
        EXPECT_EQ(record.from, (delivery::Place{2, 1}));
      }
    }
  };
  same_as(units_of("cliente-a", "xyz", delivery::Parcel::Stage::kSuspect), "units-v4.side",
          {"units-v1.side", "units-v3.side"});
  same_as(records_of("cliente-b", "a body"), "records-v4.side",
          {"records-v1.side", "records-v3.side"});
  same_as(records_of("cliente-b", *net::compress("gzip", "a body"), disk_log::BodyEncoding::kGzip),
          "records-gzip-v4.side", {});
  same_as(records_of("cliente-b", kLongBody), "records-lz4-v4.side", {});
  SideEntry packed = units_of("cliente-a", std::string(60, 'x'), delivery::Parcel::Stage::kSuspect);
  packed.head.is_packed = true;
  same_as(std::move(packed), "packed-v4.side", {"packed-v2.side", "packed-v3.side"});
}

// What the log holds of a customer is a bound for what may lie aside of it.
TEST(SideEntry, ABodyLiesAsideAsTheLogPacksIt) {
  const std::string plain(1U << 20U, 'y');
  const auto bytes_of = [](SideEntry& entry) {
    std::string bytes;
    for (const std::string_view part : encode_side_entry(entry).parts) bytes += part;
    return bytes;
  };
  SideEntry entry = records_of("a", plain);
  auto decoded = decode_side_entry(bytes_of(entry));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_LT(decoded->head.content_bytes, 8192U);
  ASSERT_TRUE(decoded->records[0].open());
  EXPECT_EQ(decoded->records[0].view().body, plain);
  decoded->records[0].from = {1, 0};  // what is left of it once a part was sent
  EXPECT_LT(bytes_of(*decoded).size(), 8192U);
}

TEST(SideEntry, ABodyThatCannotBeUnpackedIsDamage) {
  EXPECT_FALSE(records_of("a", "no gzip", disk_log::BodyEncoding::kGzip).records.front().open());
  EXPECT_FALSE(records_of("a", "odd", disk_log::BodyEncoding::kSnappy).records.front().open());
  SideRecord record = records_of("a", kLongBody).records.front();
  ++record.lz4_bytes;
  EXPECT_FALSE(record.open());
}

// A start that ends at a version must end at a real one alone.
TEST(SideEntry, ABitThatFlipsInAnyVersionIsDamage) {
  for (const std::string name :
       {"units-v1.side", "packed-v2.side", "packed-v3.side", "records-gzip-v4.side"}) {
    for (std::size_t bit = 0; bit < 32; ++bit) {
      std::string bytes = golden(name);
      bytes[4 + bit / 8] = static_cast<char>(bytes[4 + bit / 8] ^ (1U << (bit % 8)));
      const auto head = decode_side_head(bytes);
      const auto entry = decode_side_entry(bytes);
      const bool was_covered = name.ends_with("v3.side") || name.ends_with("v4.side");
      const bool is_other_version = !was_covered && bytes[4] <= 2 && head;
      if (is_other_version) continue;  // versions 1 and 2 differ in one bit, which nothing covers
      ASSERT_FALSE(head) << name << " " << bit;
      EXPECT_EQ(head.error().code, ErrorCode::kCorrupt) << name << " " << bit;
    }
  }
}

class SideEntryDamage : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(PlainAndPacked, SideEntryDamage, testing::Bool());

TEST_P(SideEntryDamage, ALaterVersionIsRefusedAndAnyDamageIsSeen) {
  SideEntry entry = units_of("a", std::string(40, 'x'));
  entry.head.is_packed = GetParam();
  std::string bytes;
  for (const std::string_view part : encode_side_entry(entry).parts) bytes += part;
  std::string later = bytes;
  later[4] = static_cast<char>(kSideVersion + 1);
  const std::size_t head_bytes = static_cast<unsigned char>(bytes[12]);
  std::string checksum;
  append_u32(checksum, crc32c(later.substr(16, head_bytes), crc32c(later.substr(4, 4))));
  later.replace(8, 4, checksum);
  EXPECT_EQ(decode_side_entry(later).error().code, ErrorCode::kInvalid);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(decode_side_entry(bad)) << i;
    EXPECT_FALSE(decode_side_entry(bytes.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace vigia::collector::side
