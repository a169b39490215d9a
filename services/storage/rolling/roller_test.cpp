// Roll-ups as they are made: of days that are over, once, again where late samples come.
#include "services/storage/rolling/roller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/chunk/histogram_record.hpp"
#include "services/storage/rolling/testing/roller_fixture.hpp"

namespace vigia::storage::rolling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST_F(RollerTest, ADayThatIsOverIsMadeInEveryResolutionAndThenNotDue) {
  put({{kStart, 1}, {kStart + 1, 2}, {kStart + kHour, 4}});
  put({{kStart + kHour + 1, 8}});
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_THAT(sums(Resolution::kDay),
              ElementsAre(Pair(kStart, 1), Pair(kStart + store::kDayMs, 14)));
  EXPECT_THAT(sums(Resolution::kHour),
              ElementsAre(Pair(kStart, 1), Pair(kStart + kHour, 6), Pair(kStart + 2 * kHour, 8)));
  EXPECT_EQ(sums(Resolution::kFiveMinutes).size(), 4U);
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_EQ(roller_->stats().days, 2U);
  EXPECT_EQ(roller_->stats().windows, 9U);
  EXPECT_FALSE(roller_->roll_round());
  EXPECT_EQ(roller_->stats().days, 2U);
}

TEST_F(RollerTest, ADayIsOverByTheTimeAndAGrace) {
  put({{kStart + 1, 2}});
  now_ms_ = kStart + store::kDayMs + 3 * kHour - 1;
  roller_->roll_round();
  EXPECT_EQ(due().size(), 1U);
  now_ms_ = 0;  // nobody knows what time it is
  roller_->roll_round();
  EXPECT_EQ(due().size(), 1U);
  now_ms_ = kStart + store::kDayMs + 3 * kHour;
  roller_->roll_round();
  EXPECT_THAT(due(), IsEmpty());
}

// Days of a period come one after the other, and late samples change one of them.
TEST_F(RollerTest, ARowOfAPeriodIsReplacedAndKeepsItsOtherDays) {
  for (TimestampMs day = 0; day < 40; ++day) {
    put({{kStart + day * store::kDayMs + 5, static_cast<double>(day)}});
    now_ms_ = kStart + (day + 2) * store::kDayMs;
    roller_->roll_round();
  }
  EXPECT_EQ(rows(Resolution::kFiveMinutes).size(), 40U);
  EXPECT_EQ(rows(Resolution::kHour).size(), 5U);
  EXPECT_EQ(rows(Resolution::kDay).size(), 1U);
  put({{kStart + 7 * store::kDayMs + 6, 100}}, 9);
  roller_->roll_round();
  EXPECT_EQ(rows(Resolution::kDay).size(), 1U);
  const auto days = sums(Resolution::kDay);
  ASSERT_EQ(days.size(), 40U);
  for (TimestampMs day = 0; day < 40; ++day) {
    EXPECT_EQ(days.at(kStart + (day + 1) * store::kDayMs), day == 7 ? 107 : day);
  }
}

TEST_F(RollerTest, WhatIsNotMadeIsNotStored) {
  open({false, true, false});
  put({{kStart + 1, 2}});
  roller_->roll_round();
  EXPECT_THAT(rows(Resolution::kFiveMinutes), IsEmpty());
  EXPECT_EQ(rows(Resolution::kHour).size(), 1U);
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_FALSE(book_->note().made_from_day(Resolution::kDay).has_value());
  EXPECT_TRUE(book_->note().is_marked);
}

// It is made anew of all that there is, from the first day that is whole.
TEST_F(RollerTest, AResolutionThatIsMadeLaterBeginsAtTheFirstWholeDay) {
  open({false, true, false});
  put({{kStart + 1, 2}});
  roller_->roll_round();
  first_day_ = kDay - 3;
  open({true, true, false});
  EXPECT_FALSE(book_->note().is_marked);
  roller_->roll_round();
  EXPECT_TRUE(book_->note().is_marked);
  EXPECT_EQ(book_->note().made_from_day(Resolution::kFiveMinutes), kDay - 3);
  EXPECT_EQ(book_->note().made_from_day(Resolution::kHour), 0U);
  EXPECT_EQ(rows(Resolution::kFiveMinutes).size(), 1U);
  open({false, true, false});
  EXPECT_FALSE(book_->note().made_from_day(Resolution::kFiveMinutes).has_value());
}

// What was found just before a stop, or a kill, is there in the note, or in the store's own number.
// There are samples, and nothing tells of them: who asks is told.
// Nearly all marks are of today, and there may be a million: they are looked at when it is over.
TEST_F(RollerTest, MarksOfDaysThatAreNotOverAreNotWalkedEachRound) {
  put({{kStart + 5, 2}});
  now_ms_ = kStart + 2 * kHour;
  roller_->roll_round();
  const int before = cold_.counting().looks;
  for (int i = 0; i < 9; ++i) {
    put({{kStart + kHour + i, 2}}, 9);
    EXPECT_FALSE(roller_->roll_round());
  }
  EXPECT_EQ(cold_.counting().looks, before);
  put({{kStart - 2 * store::kDayMs + 5, 2}}, 9);  // late, of a day that is over
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_GT(cold_.counting().looks, before);
  EXPECT_EQ(due().size(), 1U);
  now_ms_ = kStart + 2 * store::kDayMs;
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_THAT(due(), IsEmpty());
}

// Writers wait while marks are forgotten.
TEST_F(RollerTest, MarksOfManySeriesAreForgottenAtOnce) {
  for (int i = 0; i < 100; ++i) {
    put(customer_, resolve(customer_, "m" + std::to_string(i)), {{kStart + 5, 1}});
  }
  roller_->roll_round();
  EXPECT_EQ(roller_->stats().days, 100U);
  EXPECT_EQ(cold_.counting().forgets, 1);
}

// Who has many days due delays neither those whose days are over since, nor the look for damage.
TEST_F(RollerTest, ALongRoundEndsAndTheNextGoesOnWhereItWas) {
  constexpr TimestampMs kDays = 300;  // more than one turn's
  round_max_ = Duration(0);
  open({true, true, true});
  for (TimestampMs day = 0; day < kDays; ++day) put({{kStart + day * store::kDayMs + 5, 1}});
  now_ms_ = kStart + (kDays + 2) * store::kDayMs;
  EXPECT_TRUE(roller_->roll_round());
  const std::uint64_t days = roller_->stats().days;
  EXPECT_GT(days, 0U);
  EXPECT_LT(days, 300U);
  EXPECT_EQ(due().size(), 300U - days);
  EXPECT_EQ(roller_->stats().customers_left, 1U);
  const CustomerId other = CustomerId::parse("cliente-b").value();
  put(other, resolve(other, "m"), {{kStart + 5, 1}});
  cold_.counting().looks = 0;
  roller_->roll_round();
  EXPECT_EQ(cold_.counting().looks, 2) << "one of each: nobody begins again";
  EXPECT_EQ(roller_->stats().days, 301U);
  EXPECT_EQ(roller_->stats().customers_left, 0U);
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_THAT(cold_.chunks().due_days()->due(other, {}, 10).value(), IsEmpty());
}

TEST_F(RollerTest, DamageThatIsFoundAmidARoundEndsIt) {
  constexpr TimestampMs kDays = 300;
  for (TimestampMs day = 0; day < kDays; ++day) put({{kStart + day * store::kDayMs + 5, 1}});
  now_ms_ = kStart + (kDays + 2) * store::kDayMs;
  looks_until_damage_ = 1;
  roller_->roll_round();
  EXPECT_EQ(due().size(), 300U) << "what was read may have lacked rows";
  looks_until_damage_ = 0;
  roller_->roll_round();
  EXPECT_THAT(due(), IsEmpty());
}

TEST_F(RollerTest, MarksOfWhatIsKeptNoLongerGo) {
  const CustomerId nobody = CustomerId::parse("nobody").value();  // none of the catalog's
  put(nobody, series_, {{kStart + 5, 1}});
  const auto left = [&] { return cold_.chunks().due_days()->due(nobody, {}, 9).value().size(); };
  EXPECT_EQ(roller_->let_marks_go(kStart + 7).value(), 0U);
  EXPECT_EQ(left(), 1U);
  EXPECT_EQ(roller_->let_marks_go(kStart + store::kDayMs).value(), 1U);
  EXPECT_EQ(left(), 0U);
  const int before = cold_.counting().forgets;
  EXPECT_EQ(roller_->let_marks_go(kStart + store::kDayMs + kHour).value(), 0U);
  EXPECT_EQ(cold_.counting().forgets, before) << "once a day";
}

// Raw waits for what is due, and what is gone changes no window.
// Raw of all customers goes together: one who sends late samples again and again holds nothing.
// Days that are still whole are made, whichever day they are asked for with.
// It is read from raw; what lies beside it is made all the same, and nobody comes back to it soon.
TEST_F(RollerTest, ADayThatIsTooLargeStaysDueAndIsNotTriedAgainAtOnce) {
  put({{kStart + 5, 1}});
  for (TimestampMs i = 0; i < 600; ++i) {
    put({{kStart + store::kDayMs + 5 + i, 1}}, static_cast<std::uint64_t>(i));
  }
  put({{kStart + 2 * store::kDayMs + 5, 4}});
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_THAT(sums(Resolution::kDay),
              ElementsAre(Pair(kStart + store::kDayMs, 1), Pair(kStart + 3 * store::kDayMs, 4)));
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due().front().place.day, kDay + 1);
  EXPECT_EQ(roller_->stats().failures, 1U);
  EXPECT_FALSE(roller_->roll_round());
  EXPECT_EQ(roller_->stats().failures, 1U);
  EXPECT_EQ(roller_->stats().days_due, 1U);
}

// From when on raw is whole is not known before the time is.
TEST_F(RollerTest, NothingIsSaidToBeMadeBeforeTheTimeIsKnown) {
  now_ms_ = 0;
  EXPECT_FALSE(roller_->roll_round());
  EXPECT_FALSE(book_->note().is_marked);
  now_ms_ = kStart;
  first_day_ = kDay - 9;
  ASSERT_TRUE(book_->set_raw_gone(kDay - 5).has_value());
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_EQ(book_->note().made_from_day(Resolution::kHour), kDay - 4);
}

TEST_F(RollerTest, ADayOfHistogramsIsToldOf) {
  const store::ClosedChunk chunk{
      series_.metric,
      {series_.id, kStart + 7, kStart + 7, store::kInOrder, store::Encoding::kHistograms,
       chunk::write_histograms({{kStart + 7, "a histogram"}})},
      Resolution::kRaw};
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&chunk, 1}).has_value());
  roller_->roll_round();
  for (const Resolution resolution : kRolledUp) {
    EXPECT_THAT(windows_of_rows(rows(resolution), resolution).value().histogram_days,
                ElementsAre(kDay));
  }
}

// As of reads: what the others of the day say is told.
// What was made of whole raw is never replaced by what is left of it; what it lacks is added.
// Rows that a damaged file took with it are met by nobody: fewer samples tell of them.
// One customer's series that cannot be read now costs nobody else his roll-ups.
TEST_F(RollerTest, WhatIsRefusedStaysDue) {
  put({{kStart + 5, 1}});
  const CustomerId other = CustomerId::parse("cliente-b").value();
  put(other, resolve(other, "m"), {{kStart + 5, 1}});
  cold_.refused = series_.id;
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_EQ(roller_->stats().days, 1U);
  EXPECT_EQ(roller_->stats().failures, 1U);
  EXPECT_EQ(roller_->stats().days_due, 1U);
  EXPECT_EQ(roller_->stats().oldest_due_ms, kStart + store::kDayMs);
  EXPECT_EQ(due().size(), 1U);
  cold_.refused = {};
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_EQ(roller_->stats().days_due, 0U);
  EXPECT_THAT(due(), IsEmpty());
}

TEST(RollupNote, ItsBytesAreThoseOfTheFormatPage) {
  RollupNote note;
  note.raw_gone_day = 0x01020304;
  note.is_marked = true;
  note.damage = 9;
  note.made_from = {std::nullopt, 0, 7};
  const std::string bytes = write_note(note);
  EXPECT_EQ(bytes, std::string("\x02\x04\x03\x02\x01\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"
                               "\x01\x07\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00",
                               29));
  const auto read = read_note(bytes).value();
  EXPECT_EQ(read.raw_gone_day, note.raw_gone_day);
  EXPECT_EQ(read.is_marked, note.is_marked);
  EXPECT_EQ(read.damage, 9U);
  const auto earlier = read_note("\x01" + bytes.substr(1, 20)).value();
  EXPECT_EQ(earlier.made_from, note.made_from);
  EXPECT_EQ(earlier.damage, 0U);
  EXPECT_EQ(read.made_from, note.made_from);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_note(bytes.substr(0, size)).has_value());
  }
  EXPECT_FALSE(read_note(bytes + "x").has_value());
  note.own[CustomerId::parse("ab").value()] = {0x11, {5, std::nullopt, std::nullopt}};
  const std::string own = write_note(note);
  EXPECT_EQ(own, "\x03" + bytes.substr(1) +
                     std::string("\x01\x02"
                                 "ab\x11\x00\x00\x00\x01\x05\x00\x00\x00"
                                 "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
                                 23));
  EXPECT_EQ(read_note(own).value().own, note.own);
  for (std::size_t size = 0; size < own.size(); ++size) {
    EXPECT_FALSE(read_note(own.substr(0, size)).has_value()) << size;
  }
}

}  // namespace
}  // namespace vigia::storage::rolling
