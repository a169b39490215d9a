#include "services/storage/store/rocksdb/events/known_origins.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/events/testing/event_table_fixture.hpp"
#include "services/storage/store/rocksdb/testing/counted_store.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(KnownOrigins, KnowsAPlaceByAllOfIt) {
  KnownOrigins known;
  const OriginPlace place{20'000, 7, {1, 2}};
  EXPECT_THAT(known.look({place}, 0).are_known, ElementsAre(false));
  known.note({place}, known.look({}, 0).generation);
  EXPECT_THAT(known
                  .look({place,
                         {20'001, 7, {1, 2}},
                         {20'000, 8, {1, 2}},
                         {20'000, 7, {3, 2}},
                         {20'000, 7, {1, 3}},
                         {}},
                        0)
                  .are_known,
              ElementsAre(true, false, false, false, false, false));
}

TEST(KnownOrigins, KnowsNothingOnceRowsMayHaveGone) {
  KnownOrigins known;
  const std::vector<OriginPlace> places = {{20'000, 7, {1, 2}}};
  const std::uint64_t before = known.look(places, 0).generation;
  known.note(places, before);
  const auto after = known.look(places, 1);
  EXPECT_THAT(after.are_known, ElementsAre(false)) << "the store has lost rows";
  known.note(places, before);
  EXPECT_THAT(known.look(places, 1).are_known, ElementsAre(false)) << "it was there before that";
  known.note(places, after.generation);
  EXPECT_THAT(known.look(places, 1).are_known, ElementsAre(true));
  known.forget();
  EXPECT_THAT(known.look(places, 1).are_known, ElementsAre(false));
  known.note(places, after.generation);
  EXPECT_THAT(known.look(places, 1).are_known, ElementsAre(false));
}

TEST(KnownOrigins, IsBoundedAndTakesNoneForAnother) {
  KnownOrigins known;
  constexpr std::uint64_t kMany = 2 * KnownOrigins::kPlaces;
  std::vector<OriginPlace> places;
  for (std::uint64_t i = 0; i < kMany; ++i) places.push_back({20'000, 7, {i, i * i}});
  known.note(places, known.look({}, 0).generation);
  const auto are_known = known.look(places, 0).are_known;
  const auto count = static_cast<std::size_t>(std::count(are_known.begin(), are_known.end(), true));
  EXPECT_LE(count, KnownOrigins::kPlaces);
  EXPECT_GT(count, KnownOrigins::kPlaces / 2);
  for (OriginPlace& place : places) ++place.customer;
  const auto others = known.look(places, 0).are_known;
  EXPECT_EQ(std::count(others.begin(), others.end(), true), 0);
}

class WriteLookupsTest : public EventTableTest {
 protected:
  EventCounts write(const std::string& record, const std::string& note = "") {
    const CustomerId id = CustomerId::parse("cliente-a").value();
    return table_->write(id, customers::CustomerNumber{1}, request_of("cliente-a", {record}, note))
        .value();
  }
  std::vector<std::string> services() {
    std::vector<std::string> found;
    const auto end = table_->read_logs(customers::CustomerNumber{1}, {0, UINT64_MAX},
                                       [&](const LogRecordView& record) {
                                         found.emplace_back(record.event.resource);
                                         return true;
                                       });
    EXPECT_TRUE(end.has_value());
    return found;
  }

  CountedStore counted_{*store_};
  std::unique_ptr<EventTable> table_ = EventTable::open(counted_, clock_, Signal::kLogs).value();
};

// 1,000 resources with two records each were 3,000 look-ups a request.
TEST_F(WriteLookupsTest, AResourceIsLookedUpOnceAndNotWithEachRequest) {
  EXPECT_EQ(write(log_record(kNowNs, "1")).stored, 1U);
  EXPECT_EQ(counted_.take_lookups(), 3U) << "the record, its resource and its scope";
  EXPECT_EQ(write(log_record(kNowNs, "2")).stored, 1U);
  EXPECT_EQ(counted_.take_lookups(), 1U);
  EXPECT_EQ(write(log_record(kNowNs, "3"), "another").stored, 1U);
  EXPECT_EQ(counted_.take_lookups(), 2U) << "the scope is known";
  counted_.note_repair();
  EXPECT_EQ(write(log_record(kNowNs, "4")).stored, 1U);
  EXPECT_EQ(counted_.take_lookups(), 3U) << "rows may have gone";
}

TEST_F(WriteLookupsTest, AResourceOfADayThatHasGoneIsWrittenAgain) {
  write(log_record(kNowNs, "1"));
  const auto now_ms = static_cast<TimestampMs>(kNowNs / event_key::kNsPerMs);
  EXPECT_EQ(table_->expire(now_ms + 2 * kDayMs).value(), 1U);
  EXPECT_EQ(write(log_record(kNowNs, "1")).stored, 1U);
  EXPECT_THAT(services(), ElementsAre(HasSubstr("shop")));
  EXPECT_EQ(table_->damaged_items(), 0U);
}

// A sender's clock is often ahead by some; only what was once a day ahead may lie elsewhere.
TEST_F(WriteLookupsTest, ARecordOfTheNextSecondsIsLookedUpInOnePlace) {
  write(log_record(kNowNs, "1"));
  counted_.take_lookups();
  EXPECT_EQ(write(log_record(kNowNs + kSecondNs, "2")).stored, 1U);
  EXPECT_EQ(counted_.take_lookups(), 1U);
  EXPECT_EQ(write(log_record(kNowNs + kSecondNs, "2")).repeats, 1U);
  counted_.take_lookups();
  // Far ahead it lies at the day's begin; a day later it is the same record.
  const TimestampNs far_ns = kNowNs + kDayNs + 3'600 * kSecondNs;
  EXPECT_EQ(write(log_record(far_ns, "far")).stored, 1U);
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(write(log_record(far_ns, "far")).repeats, 1U);
  clock_.advance(std::chrono::hours(20));
  EXPECT_EQ(write(log_record(far_ns, "far")).repeats, 1U) << "past midnight";
}

// Each look lists the folder `quarantine`.
TEST_F(WriteLookupsTest, AQueryLooksForDamageOnce) {
  write(log_record(kNowNs, "1"));
  counted_.take_damage_looks();
  EXPECT_THAT(services(), ElementsAre(HasSubstr("shop")));
  EXPECT_EQ(counted_.take_damage_looks(), 1U);
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
