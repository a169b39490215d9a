// What the roller does where raw samples go, by expiry or damage: what was made stays, what was not
// is told of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/rollup/window.hpp"
#include "services/storage/rolling/roller.hpp"
#include "services/storage/rolling/testing/roller_fixture.hpp"

namespace vigia::storage::rolling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST_F(RollerTest, AfterDamageAllIsMadeAnew) {
  put({{kStart + 1, 2}});
  roller_->roll_round();
  damage_ = 1;
  put({{kStart + store::kDayMs + 1, 2}});
  roller_->roll_round();
  EXPECT_EQ(roller_->stats().days, 3U);
  EXPECT_TRUE(book_->note().is_marked);
  roller_->roll_round();
  EXPECT_EQ(roller_->stats().days, 3U);
}

TEST_F(RollerTest, DamageIsRememberedOverAStop) {
  put({{kStart + 1, 2}});
  roller_->roll_round();
  damage_ = 1;
  roller_.reset();
  EXPECT_FALSE(book_->note().is_marked);
  open({true, true, true});
  EXPECT_FALSE(book_->note().is_marked);
  roller_->roll_round();
  EXPECT_TRUE(book_->note().is_marked);
  EXPECT_EQ(roller_->stats().days, 1U);
  open({true, true, true});
  roller_->roll_round();
  EXPECT_EQ(roller_->stats().days, 0U) << "the same damage is no new one";
  roller_.reset();
  damage_ = 2;  // while none was looking
  open({true, true, true});
  roller_->start();
  EXPECT_FALSE(book_->note().is_marked && book_->note().damage != 2);
  EXPECT_EQ(book_->note().damage, 2U);
}

TEST_F(RollerTest, ADayWhoseSamplesWentBeforeItWasMadeIsLost) {
  roller_->roll_round();  // roll-ups begin
  put({{kStart + 5, 2}});
  put({{kStart + store::kDayMs + 5, 2}});
  ASSERT_TRUE(book_->set_raw_gone(kDay).has_value());
  roller_->roll_round();
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due().front().place.day, kDay);
  EXPECT_EQ(due().front().kind, store::DueKind::kLost);
  EXPECT_EQ(roller_->stats().days_lost, 1U);
  EXPECT_EQ(roller_->stats().days_gone, 0U);
  EXPECT_FALSE(roller_->roll_round());
  EXPECT_EQ(roller_->stats().days_lost, 1U);
  EXPECT_EQ(roller_->stats().days_due, 0U);
}

TEST_F(RollerTest, ADayOfWhichDamageLeftNothingIsLost) {
  roller_->roll_round();
  store::ClosedChunk bad{
      series_.metric,
      {series_.id, kStart + 7, kStart + 7, store::kInOrder, store::Encoding::kFloats, "damaged"},
      Resolution::kRaw};
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&bad, 1}).has_value());
  roller_->roll_round();
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due().front().kind, store::DueKind::kLost);
  // Of a day that was made before, what was made stays, and it is not lost.
  put({{kStart + store::kDayMs + 5, 2}});
  roller_->roll_round();
  bad.row.first_ms = bad.row.last_ms = kStart + store::kDayMs + 5;
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&bad, 1}).has_value());
  roller_->roll_round();
  EXPECT_EQ(sums(Resolution::kDay).size(), 1U);
  EXPECT_EQ(due().size(), 1U);
}

// Its rows lie in a file of the quarantine and come back: who asks must not be told that it is
// lost.
TEST_F(RollerTest, NoDayIsLostWhileRowsWaitToBeSaved) {
  roller_->roll_round();
  const Sample sample{kStart + 5, 2};
  put({sample});
  store::ClosedChunk bad{series_.metric, rows(Resolution::kRaw).front(), Resolution::kRaw};
  bad.row.data = "damaged";
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&bad, 1}).has_value());
  is_whole_ = false;
  damage_ = 1;
  roller_->roll_round();
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due().front().kind, store::DueKind::kPut);
  EXPECT_EQ(roller_->stats().days_lost, 0U);
  put({sample});  // as the saver does
  is_whole_ = true;
  damage_ = 2;
  roller_->roll_round();
  EXPECT_THAT(sums(Resolution::kDay), ElementsAre(Pair(kStart + store::kDayMs, 2)));
  EXPECT_THAT(due(), IsEmpty());
}

// Of earlier programs: they set days lost while rows of theirs waited.
TEST_F(RollerTest, ALostDayIsMadeOnceItsRowsAreThereAgain) {
  roller_->roll_round();
  put({{kStart + 5, 2}});
  ASSERT_TRUE(cold_.chunks().due_days()->set_lost(customer_, due()).has_value());
  roller_->roll_round();
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due().front().kind, store::DueKind::kLost);
  damage_ = 1;  // another number: its file is done with
  roller_->roll_round();
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_THAT(sums(Resolution::kDay), ElementsAre(Pair(kStart + store::kDayMs, 2)));
}

TEST_F(RollerTest, ADamagedRowIsMadeAnewWithAllOthers) {
  put({{kStart + 1, 2}});
  put({{kStart + store::kDayMs + 1, 3}});
  roller_->roll_round();
  store::ClosedChunk bad{series_.metric, rows(Resolution::kDay).front(), Resolution::kDay};
  bad.row.data = "damaged";
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&bad, 1}).has_value());
  put({{kStart + 2, 4}}, 9);
  roller_->roll_round();
  EXPECT_FALSE(book_->note().is_marked);
  roller_->roll_round();
  EXPECT_THAT(sums(Resolution::kDay),
              ElementsAre(Pair(kStart + store::kDayMs, 6), Pair(kStart + 2 * store::kDayMs, 3)));
}

TEST_F(RollerTest, RawIsNotLetGoBeforeItIsRolledUp) {
  const TimestampMs later_ms = kStart + 3 * store::kDayMs;
  put({{kStart + 5, 2}});
  put({{later_ms + 5, 3}});
  const TimestampMs before_ms = kStart + 5 * store::kDayMs;
  EXPECT_EQ(roller_->let_raw_go(kStart).value().before_ms, kStart);
  const TimestampMs held_ms = roller_->let_raw_go(before_ms).value().before_ms;
  EXPECT_EQ(held_ms, kStart - store::kDayMs + store::kChunkSpanMs);
  EXPECT_EQ(cold_.chunks().expire(Resolution::kRaw, held_ms).value(), 0U);
  EXPECT_EQ(book_->note().raw_gone_day, kDay - 1);
  roller_->roll_round();
  EXPECT_EQ(roller_->let_raw_go(before_ms).value().before_ms, before_ms);
  EXPECT_EQ(book_->note().raw_gone_day, kDay + 4);
  EXPECT_EQ(cold_.chunks().expire(Resolution::kRaw, before_ms).value(), 2U);
  put({{kStart + 6, 100}}, 9);  // far too late: the others of its day are gone
  roller_->roll_round();
  EXPECT_EQ(sums(Resolution::kDay).at(kStart + store::kDayMs), 2);
  EXPECT_EQ(roller_->stats().days_gone, 1U);
  EXPECT_THAT(due(), IsEmpty());
}

// Of whom raw is there a late sample is rolled up; of whom it has gone, what was made stays.
TEST_F(RollerTest, RawGoesByCustomer) {
  const CustomerId other = CustomerId::parse("cliente-b").value();
  const store::SeriesKey theirs = resolve(other, "m");
  put({{kStart + 5, 2}});
  put(other, theirs, {{kStart + 5, 2}});
  roller_->roll_round();
  store::ExpiryCuts cuts(kStart + 5 * store::kDayMs);
  cuts.own.emplace(customer_, kStart - 5 * store::kDayMs);
  const store::ExpiryCuts held = roller_->let_raw_go(cuts).value();
  EXPECT_EQ(held.before_ms, cuts.before_ms);
  EXPECT_EQ(held.own, cuts.own);
  EXPECT_EQ(book_->note(other).raw_gone_day, kDay + 4);
  EXPECT_EQ(book_->note(customer_).raw_gone_day, kDay - 6);
  put({{kStart + 6, 100}}, 9);
  put(other, theirs, {{kStart + 6, 100}}, 9);
  roller_->roll_round();
  EXPECT_EQ(sums(Resolution::kDay).at(kStart + store::kDayMs), 102);
  EXPECT_EQ(roller_->stats().days_gone, 1U);
  // Who is kept as all others are again, later than he was, or as long as never before.
  ASSERT_TRUE(roller_->let_raw_go(kStart + 5 * store::kDayMs).has_value());
  EXPECT_EQ(book_->note(customer_).raw_gone_day, kDay + 4);
  EXPECT_TRUE(book_->note().own.empty());
  cuts.own[customer_] = 0;
  ASSERT_TRUE(roller_->let_raw_go(cuts).has_value());
  EXPECT_EQ(book_->note(customer_).raw_gone_day, kDay + 4) << "what has gone does not come back";
}

// One customer's marks hold his own raw where it is cut by itself.
TEST_F(RollerTest, RawOfOneWhoIsKeptOtherwiseIsHeldForHimAlone) {
  put({{kStart + 5, 2}});
  store::ExpiryCuts cuts(kStart + 2 * store::kDayMs);
  cuts.own.emplace(customer_, kStart + 3 * store::kDayMs);
  store::ExpiryCuts early(kStart);
  early.own.emplace(customer_, kStart);
  ASSERT_TRUE(roller_->let_raw_go(early).has_value());
  const store::ExpiryCuts held = roller_->let_raw_go(cuts).value();
  EXPECT_EQ(held.before_ms, cuts.before_ms);
  EXPECT_EQ(held.own.at(customer_), kStart - store::kDayMs + store::kChunkSpanMs);
}

TEST_F(RollerTest, RollUpsBeginWhereACustomersRawIsWhole) {
  first_day_ = kDay - 3;
  own_first_days_ = {{customer_, kDay + 1}};
  open({true, true, false});
  roller_->roll_round();
  const CustomerId other = CustomerId::parse("cliente-b").value();
  EXPECT_EQ(book_->note(customer_).made_from_day(Resolution::kHour), kDay + 1);
  EXPECT_EQ(book_->note(other).made_from_day(Resolution::kHour), kDay - 3);
  own_first_days_ = {{customer_, kDay + 2}};
  open({true, false, true});
  roller_->roll_round();
  EXPECT_EQ(book_->note(customer_).made_from_day(Resolution::kFiveMinutes), kDay + 1);
  EXPECT_EQ(book_->note(customer_).made_from_day(Resolution::kDay), kDay + 2);
  EXPECT_EQ(book_->note(customer_).made_from_day(Resolution::kHour), std::nullopt);
}

TEST_F(RollerTest, RawIsHeldForAWeekAtTheMost) {
  put({{kStart + 5, 2}});
  const TimestampMs before_ms = kStart + 20 * store::kDayMs;
  EXPECT_EQ(roller_->let_raw_go(kStart).value().before_ms, kStart);
  EXPECT_EQ(roller_->let_raw_go(before_ms).value().before_ms, before_ms - 7 * store::kDayMs);
}

TEST_F(RollerTest, AMarkThatIsNewHoldsNoRaw) {
  const TimestampMs before_ms = kStart + 2 * store::kDayMs;
  put({{kStart + 5, 2}});
  EXPECT_EQ(roller_->let_raw_go(kStart).value().before_ms, kStart);
  put({{kStart + 6, 2}}, 9);  // the same day, marked anew
  EXPECT_EQ(roller_->let_raw_go(before_ms).value().before_ms, before_ms);
}

TEST_F(RollerTest, WhatCannotBeWrittenHoldsNoRaw) {
  const TimestampMs before_ms = kStart + 2 * store::kDayMs;
  put({{kStart + 5, 2}});
  EXPECT_EQ(roller_->let_raw_go(kStart).value().before_ms, kStart);
  is_writable_ = false;
  EXPECT_EQ(roller_->let_raw_go(before_ms).value().before_ms, before_ms);
}

TEST_F(RollerTest, OfARunOnlyTheDaysThatAreGoneAreLeftOut) {
  for (TimestampMs day = 0; day < 4; ++day) put({{kStart + day * store::kDayMs + 5, 1}});
  ASSERT_TRUE(book_->set_raw_gone(kDay).has_value());
  roller_->roll_round();
  EXPECT_EQ(roller_->stats().days, 3U);
  EXPECT_EQ(roller_->stats().days_gone, 1U);
  EXPECT_EQ(sums(Resolution::kDay).size(), 3U);
  EXPECT_THAT(due(), IsEmpty());
}

TEST_F(RollerTest, ARowThatCannotBeReadCostsItself) {
  put({{kStart + 5, 1}});
  const store::ClosedChunk bad{
      series_.metric,
      {series_.id, kStart + 7, kStart + 7, store::kInOrder, store::Encoding::kFloats, "damaged"},
      Resolution::kRaw};
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&bad, 1}).has_value());
  roller_->roll_round();
  EXPECT_THAT(sums(Resolution::kDay), ElementsAre(Pair(kStart + store::kDayMs, 1)));
  EXPECT_EQ(roller_->stats().unreadable_rows, 1U);
  EXPECT_THAT(due(), IsEmpty());
}

TEST_F(RollerTest, AWindowOfWholeRawStaysWhereItsRawIsDamaged) {
  put({{kStart + 5, 1}, {kStart + 6, 2}});
  put({{kStart + 7, 4}});
  roller_->roll_round();
  ASSERT_EQ(sums(Resolution::kDay).at(kStart + store::kDayMs), 7);
  store::ClosedChunk bad{
      series_.metric,
      store::read_rows(cold_.chunks(), customer_, series_, {kStart + 7, kStart + 7})
          .value()
          .front(),
      Resolution::kRaw};
  bad.row.data = "damaged";
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&bad, 1}).has_value());
  put({{kStart + 8, 8}, {kStart + 9, 16}}, 9);  // more than what was lost
  put({{kStart + 5 * kHour, 32}}, 9);
  roller_->roll_round();
  EXPECT_EQ(sums(Resolution::kDay).at(kStart + store::kDayMs), 7);
  EXPECT_THAT(sums(Resolution::kHour),
              ElementsAre(Pair(kStart + kHour, 7), Pair(kStart + 5 * kHour, 32)));
  EXPECT_EQ(roller_->stats().windows_kept, 3U);
  EXPECT_THAT(due(), IsEmpty());
}

TEST_F(RollerTest, AWindowOfWholeRawStaysWhereSomeOfItsRawIsGone) {
  put({{kStart + 5, 1}, {kStart + 6, 2}, {kStart + 7, 4}});
  put({{kStart + kHour + 5, 1}});
  roller_->roll_round();
  put({{kStart + 5, 1}, {kStart + 6, 2}});  // the same row, and less in it
  put({{kStart + kHour + 6, 1}}, 9);
  roller_->roll_round();
  EXPECT_THAT(sums(Resolution::kHour),
              ElementsAre(Pair(kStart + kHour, 7), Pair(kStart + 2 * kHour, 2)));
  EXPECT_EQ(sums(Resolution::kDay).at(kStart + store::kDayMs), 8);
  EXPECT_GT(roller_->stats().windows_kept, 0U);
}

TEST(HoldsAllOf, AWindowThatLacksASampleOfTheOtherDoesNot) {
  const auto of = [](const std::vector<Sample>& samples) {
    return rollup::windows_of(samples, kHour).front();
  };
  const double stale = stale_mark();
  const Window three = of({{1, 2}, {2, 3}, {3, 1}});
  EXPECT_TRUE(holds_all_of(three, three));
  EXPECT_TRUE(holds_all_of(of({{1, 2}, {2, 3}, {3, 1}, {4, 9}}), three));
  EXPECT_FALSE(holds_all_of(of({{1, 2}, {2, 3}}), three));
  EXPECT_FALSE(holds_all_of(of({{2, 3}, {3, 1}, {4, 2}}), three));
  EXPECT_FALSE(holds_all_of(of({{1, 2}, {4, 2}, {5, 1}}), three)) << "its maximum";
  EXPECT_FALSE(holds_all_of(of({{1, 2}, {2, 3}, {5, 2}}), three)) << "its minimum";
  EXPECT_FALSE(holds_all_of(of({{1, NAN}, {2, NAN}, {3, NAN}}), three));
  EXPECT_TRUE(holds_all_of(three, of({{1, NAN}, {2, NAN}, {3, NAN}})));
  const Window ends = of({{1, 2}, {2, stale}});
  EXPECT_TRUE(holds_all_of(ends, ends));
  EXPECT_TRUE(holds_all_of(of({{1, 2}, {3, 5}}), ends));
  EXPECT_FALSE(holds_all_of(of({{1, 2}}), ends));
  EXPECT_TRUE(holds_all_of(of({{1, 2}, {2, stale}, {3, stale}}), ends));
}

}  // namespace
}  // namespace vigia::storage::rolling
