// What every store that marks days keeps to: what roll-ups are to be made of is never forgotten.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/testing/contract_fixture.hpp"

namespace vigia::storage::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

template <typename Store>
class DueDaysTest : public ContractFixture<Store> {
 protected:
  DueDays& due_days() { return *this->chunks().due_days(); }
  std::vector<DueDay> due(const CustomerId& customer, const DuePlace& from = {},
                          std::size_t max = 1'000) {
    return due_days().due(customer, from, max).value();
  }
  static std::vector<std::pair<std::uint64_t, std::uint32_t>> places(
      const std::vector<DueDay>& days) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> places;
    for (const DueDay& day : days) places.emplace_back(day.place.series.value, day.place.day);
    return places;
  }
  void put_at(const SeriesKey& key, TimestampMs first_ms, TimestampMs last_ms,
              std::uint64_t version = kInOrder) {
    ClosedChunk chunk = this->chunk(key, first_ms, "data", version);
    chunk.row.last_ms = last_ms;
    this->put(this->a_, {chunk});
  }
  const SeriesKey other_{"n", {78}};
};
TYPED_TEST_SUITE(DueDaysTest, Stores, );

TYPED_TEST(DueDaysTest, APutOfRawMarksEachDayOfItsWindows) {
  EXPECT_THAT(this->due(this->a_), IsEmpty());
  this->put_at(this->key_, kStart, kStart);  // midnight is of the day before
  EXPECT_THAT(this->places(this->due(this->a_)), ElementsAre(Pair(77, kDay - 1)));
  this->put_at(this->other_, kStart + kDayMs - 9, kStart + kDayMs + 1);
  this->put_at(this->key_, kStart + 1, kStart + 2);
  this->put_at(this->key_, kStart + kDayMs, kStart + kDayMs, 9);
  EXPECT_THAT(this->places(this->due(this->a_)),
              ElementsAre(Pair(77, kDay - 1), Pair(77, kDay), Pair(78, kDay), Pair(78, kDay + 1)));
  EXPECT_THAT(this->due(this->b_), IsEmpty());
}

// No day comes after the last that can be told.
TYPED_TEST(DueDaysTest, TheLastDayOfAllIsMarkedOnce) {
  const TimestampMs far_ms = (TimestampMs{UINT32_MAX} + 5) * kDayMs;
  this->put_at(this->key_, far_ms, far_ms + 1);
  EXPECT_THAT(this->places(this->due(this->a_)), ElementsAre(Pair(77, UINT32_MAX)));
  EXPECT_EQ(this->due_days().mark_stored("").value(), "");
  EXPECT_EQ(this->places(this->due(this->a_)).back(), std::pair(77UL, UINT32_MAX));
}

TYPED_TEST(DueDaysTest, WhereNobodyMakesRollUpsAPutMarksNothing) {
  this->due_days().set_marking(false);
  this->put_at(this->key_, kStart + 1, kStart + 2);
  EXPECT_THAT(this->due(this->a_), IsEmpty());
  this->due_days().set_marking(true);  // later: what lies there is found
  EXPECT_EQ(this->due_days().mark_stored("").value(), "");
  EXPECT_FALSE(this->due(this->a_).empty());
}

TYPED_TEST(DueDaysTest, RollUpsMarkNothing) {
  ClosedChunk chunk = this->packed(this->key_, 1, 1, Resolution::kHour);
  this->put(this->a_, {chunk});
  EXPECT_THAT(this->due(this->a_), IsEmpty());
}

TYPED_TEST(DueDaysTest, TheyComeInOrderFromAPlaceOn) {
  for (TimestampMs day = 0; day < 5; ++day) {
    this->put_at(this->other_, kStart + day * kDayMs + 7, kStart + day * kDayMs + 9);
    this->put_at(this->key_, kStart + day * kDayMs + 7, kStart + day * kDayMs + 9);
  }
  EXPECT_EQ(this->due(this->a_).size(), 10U);
  EXPECT_THAT(this->places(this->due(this->a_, {{77}, kDay + 3}, 3)),
              ElementsAre(Pair(77, kDay + 3), Pair(77, kDay + 4), Pair(78, kDay)));
  const auto of = [&](std::uint64_t series, const DayRange& days) {
    return this->places(due_days_of(this->due_days(), this->a_, {series}, days).value());
  };
  EXPECT_THAT(of(77, {kDay + 1, kDay + 2}), ElementsAre(Pair(77, kDay + 1), Pair(77, kDay + 2)));
  EXPECT_EQ(of(78, kAllDays).size(), 5U);
  EXPECT_THAT(of(79, kAllDays), IsEmpty());
}

TYPED_TEST(DueDaysTest, ThoseOfSomeSeriesComeAsTheyStandInTheQuestion) {
  for (TimestampMs day = 0; day < 3; ++day) {
    this->put_at(this->other_, kStart + day * kDayMs + 7, kStart + day * kDayMs + 9);
    this->put_at(this->key_, kStart + day * kDayMs + 7, kStart + day * kDayMs + 9);
  }
  const auto of = [&](const std::vector<SeriesId>& series, const DayRange& days) {
    return this->places(this->due_days().due_of(this->a_, series, days).value());
  };
  EXPECT_THAT(
      of({{78}, {79}, {77}}, {kDay + 1, kDay + 2}),
      ElementsAre(Pair(78, kDay + 1), Pair(78, kDay + 2), Pair(77, kDay + 1), Pair(77, kDay + 2)));
  EXPECT_EQ(of({{77}}, {0, UINT32_MAX}).size(), 3U);
  EXPECT_THAT(of({}, kAllDays), IsEmpty());
  EXPECT_THAT(this->due_days().due_of(this->b_, std::vector<SeriesId>{{77}}, kAllDays).value(),
              IsEmpty());
}

TYPED_TEST(DueDaysTest, WhatWasMarkedAnewMeanwhileStays) {
  this->put_at(this->key_, kStart + 1, kStart + 2);
  this->put_at(this->other_, kStart + 1, kStart + 2);
  const auto read = this->due(this->a_);
  this->put_at(this->key_, kStart + 5, kStart + 6, 9);
  ASSERT_TRUE(this->due_days().done(this->b_, read).has_value());
  EXPECT_EQ(this->due(this->a_).size(), 2U);
  ASSERT_TRUE(this->due_days().done(this->a_, read).has_value());
  const auto left = this->due(this->a_);
  EXPECT_THAT(this->places(left), ElementsAre(Pair(77, kDay)));
  EXPECT_NE(left.front().stamp, read.front().stamp);
  ASSERT_TRUE(this->due_days().done(this->a_, left).has_value());
  EXPECT_THAT(this->due(this->a_), IsEmpty());
  ASSERT_TRUE(this->due_days().done(this->a_, left).has_value());
}

TYPED_TEST(DueDaysTest, WhatLiesThereUnmarkedCanBeMarked) {
  std::size_t rows = 0;
  std::vector<ClosedChunk> chunks;
  for (std::uint64_t series = 1; series <= 300; ++series) {
    for (TimestampMs day = 0; day < 4; ++day, ++rows) {
      for (const TimestampMs first_ms :
           {kStart + day * kDayMs + 5, kStart + day * kDayMs + 2'000}) {
        chunks.push_back(this->chunk({"m", {series}}, first_ms, "data"));
      }
    }
  }
  this->put(this->a_, chunks);
  this->put_at({"m", {301}}, kStart, kStart + 1);
  const auto marked = this->due(this->a_, {}, 10'000);
  ASSERT_EQ(marked.size(), rows + 2);
  ASSERT_TRUE(this->due_days().done(this->a_, marked).has_value());
  std::string place;
  do {
    place = this->due_days().mark_stored(place).value();
  } while (!place.empty());
  std::set<DuePlace> places;
  for (const DueDay& day : this->due(this->a_, {}, 10'000)) places.insert(day.place);
  for (const DueDay& day : marked) EXPECT_TRUE(places.contains(day.place)) << day.place.day;
}

TYPED_TEST(DueDaysTest, AMarkSaysHowItCame) {
  this->put_at(this->key_, kStart + 1, kStart + 2);
  EXPECT_EQ(this->due(this->a_).front().kind, DueKind::kPut);
  ASSERT_TRUE(this->due_days().done(this->a_, this->due(this->a_)).has_value());
  EXPECT_EQ(this->due_days().mark_stored("").value(), "");
  const auto found = this->due(this->a_);
  ASSERT_FALSE(found.empty());
  for (const DueDay& day : found) EXPECT_EQ(day.kind, DueKind::kFound);
  this->put_at(this->key_, kStart + 5, kStart + 6);
  EXPECT_EQ(this->due_days().mark_stored("").value(), "");
  const auto again = due_days_of(this->due_days(), this->a_, this->key_.id, {kDay, kDay}).value();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again.front().kind, DueKind::kPut) << "what is known more of stays";
}

TYPED_TEST(DueDaysTest, ADayIsSetLostOnlyAsItWasReadAndDueAgainWhereRowsLie) {
  this->put_at(this->key_, kStart + 1, kStart + 2);
  this->put_at(this->other_, kStart + 1, kStart + 2);
  const auto read = this->due(this->a_);
  this->put_at(this->other_, kStart + 5, kStart + 6, 9);
  ASSERT_TRUE(this->due_days().set_lost(this->b_, read).has_value());
  EXPECT_EQ(this->due(this->a_).front().kind, DueKind::kPut);
  ASSERT_TRUE(this->due_days().set_lost(this->a_, read).has_value());
  const auto lost = this->due(this->a_);
  ASSERT_EQ(lost.size(), 2U);
  EXPECT_EQ(lost.front().kind, DueKind::kLost);
  EXPECT_EQ(lost.back().kind, DueKind::kPut);
  EXPECT_EQ(this->due_days().mark_stored("").value(), "");
  const auto again = due_days_of(this->due_days(), this->a_, this->key_.id, {kDay, kDay}).value();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again.front().kind, DueKind::kPut) << "its rows lie there: they may have been saved";
  EXPECT_NE(again.front().stamp, lost.front().stamp);
  ASSERT_TRUE(this->due_days().done(this->a_, this->due(this->a_)).has_value());
  EXPECT_THAT(this->due(this->a_), IsEmpty());
}

TYPED_TEST(DueDaysTest, WhatIsLostStaysWhereNoRowLies) {
  this->put_at(this->key_, kStart + 1, kStart + 2);
  ASSERT_TRUE(this->due_days().set_lost(this->a_, this->due(this->a_)).has_value());
  EXPECT_EQ(this->chunks().expire(Resolution::kRaw, kStart + 3 * kDayMs).value(), 1U);
  EXPECT_EQ(this->due_days().mark_stored("").value(), "");
  const auto lost = this->due(this->a_);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost.front().kind, DueKind::kLost);
  ASSERT_TRUE(this->due_days().done(this->a_, lost).has_value());
  EXPECT_THAT(this->due(this->a_), IsEmpty());
}

TYPED_TEST(DueDaysTest, MarksOfOldDaysAreForgottenWhosesoeverTheyAre) {
  for (TimestampMs day = 0; day < 4; ++day) {
    this->put_at(this->key_, kStart + day * kDayMs + 7, kStart + day * kDayMs + 9);
  }
  this->put(this->b_, {this->chunk(this->key_, kStart + 5, "data")});
  ASSERT_TRUE(this->due_days().set_note("a note").has_value());
  ASSERT_TRUE(this->due_days().set_lost(this->a_, {{this->due(this->a_).front()}}).has_value());
  EXPECT_EQ(this->due_days().forget_before(kDay).value(), 0U);
  EXPECT_EQ(this->due_days().forget_before(kDay + 2).value(), 3U);
  EXPECT_THAT(this->places(this->due(this->a_)),
              ElementsAre(Pair(77, kDay + 2), Pair(77, kDay + 3)));
  EXPECT_THAT(this->due(this->b_), IsEmpty());
  EXPECT_EQ(this->due_days().note().value(), "a note");
}

TYPED_TEST(DueDaysTest, TheFirstDayThatWasMarkedSinceIsTold) {
  const auto first = [&] { return this->due_days().take_first_marked(this->a_); };
  this->put_at(this->key_, kStart + kDayMs + 1, kStart + kDayMs + 2);
  EXPECT_EQ(first(), 0U) << "what earlier processes marked is not known";
  EXPECT_EQ(first(), UINT32_MAX);
  this->put_at(this->key_, kStart + 3 * kDayMs + 1, kStart + 3 * kDayMs + 2);
  this->put_at(this->other_, kStart + kDayMs, kStart + kDayMs + 2);
  this->put(this->b_, {this->chunk(this->key_, kStart + 5, "data")});
  EXPECT_EQ(first(), kDay);
  EXPECT_EQ(first(), UINT32_MAX);
  ASSERT_TRUE(this->due_days().done(this->a_, this->due(this->a_)).has_value());
  EXPECT_EQ(this->due_days().mark_stored("").value(), "");
  EXPECT_EQ(first(), kDay);
}

TYPED_TEST(DueDaysTest, ANoteIsKept) {
  EXPECT_EQ(this->due_days().note().value(), "");
  ASSERT_TRUE(this->due_days().set_note("a note").has_value());
  EXPECT_EQ(this->due_days().note().value(), "a note");
  EXPECT_THAT(this->due(this->a_), IsEmpty());
}

}  // namespace
}  // namespace vigia::storage::store
