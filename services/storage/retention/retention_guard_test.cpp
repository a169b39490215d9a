// A wrong clock deletes nothing (case A4).
#include "services/storage/retention/retention_guard.hpp"

#include <atomic>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/retention/retention_sweeper.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/kv_chunk_store.hpp"
#include "services/storage/store/rocksdb/testing/rows_of.hpp"

namespace vigia::storage::retention {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr TimestampMs kHourMs = 3'600'000;
constexpr TimestampMs kStart = 20'000 * store::kDayMs + 12 * kHourMs;
constexpr Duration kKeep = hours(24 * 30);
constexpr Duration kSweep = minutes(10);

class RetentionGuardTest : public testing::Test {
 protected:
  RetentionGuardTest() {
    for (TimestampMs day = 0; day <= 29; ++day) {
      const TimestampMs first_ms = kStart - day * store::kDayMs;
      const store::ChunkRow row{
          {1}, first_ms, first_ms, store::kInOrder, store::Encoding::kFloats, "data"};
      EXPECT_TRUE(chunks_->put({1}, {row}).has_value());
    }
    restart();
  }
  ~RetentionGuardTest() override { sweeper_.reset(); }

  void restart() {
    sweeper_.reset();
    guard_.reset();
    times_ = std::make_unique<customers::RecordTimes>();
    guard_ = std::make_unique<RetentionGuard>(folder_.path() + "/retention", kKeep, clock_);
    const RetentionRule rule{"raw", cuts_after(kKeep), [this](const store::ExpiryCuts& cuts) {
                               return chunks_->expire(cuts.before_ms);
                             }};
    sweeper_ = std::make_unique<RetentionSweeper>(std::vector<RetentionRule>{rule}, *guard_,
                                                  *times_, hours(1'000'000));
  }
  TimestampMs true_ms() const { return clock_.wall_ms() - ahead_ms_; }
  void set_clock_ahead(TimestampMs ahead_ms) {
    const TimestampMs now_ms = true_ms();
    ahead_ms_ = ahead_ms;
    clock_.set_wall_ns((now_ms + ahead_ms) * 1'000'000);
  }
  /// Time goes on: records come, sweeps happen.
  void run(Duration duration) {
    for (Duration done{0}; done < duration; done += kSweep) {
      clock_.advance(kSweep);
      times_->note({1}, true_ms());
      sweeper_->sweep();
    }
  }
  std::size_t days() {
    return store::rocksdb::rows_of(*chunks_, {1}, {1}, {0, INT64_MAX}).value().size();
  }

  TemporaryFolder folder_;
  ManualClock clock_{kStart * 1'000'000};
  TimestampMs ahead_ms_ = 0;
  std::unique_ptr<store::rocksdb::kv::OrderedStore> store_ =
      store::rocksdb::kv::open_rocksdb({folder_.path() + "/db"}).value();
  std::unique_ptr<store::rocksdb::KvChunkStore> chunks_ =
      store::rocksdb::KvChunkStore::open(*store_).value();
  std::unique_ptr<customers::RecordTimes> times_;
  std::unique_ptr<RetentionGuard> guard_;
  std::unique_ptr<RetentionSweeper> sweeper_;
};

TEST_F(RetentionGuardTest, WhatIsTooOldGoesWhereAllIsWell) {
  run(hours(2));
  EXPECT_EQ(days(), 30U);
  run(hours(24 * 3));
  EXPECT_EQ(days(), 28U);
  EXPECT_THAT(guard_->held_because(), IsEmpty());
}

TEST_F(RetentionGuardTest, AClockThatIsAheadAtTheStartDeletesNothing) {
  run(hours(2));
  for (const TimestampMs ahead_days : {31, 403}) {
    SCOPED_TRACE(ahead_days);
    set_clock_ahead(ahead_days * store::kDayMs);
    restart();
    sweeper_->sweep();  // before the first record
    run(hours(5));      // the records come with the right times
    EXPECT_EQ(days(), 30U);
    set_clock_ahead(0);
    run(hours(1));
    EXPECT_EQ(days(), 30U);
  }
}

TEST_F(RetentionGuardTest, AStepWhileRunningDeletesNothing) {
  run(hours(2));
  for (const TimestampMs ahead_days : {31, 403}) {
    set_clock_ahead(ahead_days * store::kDayMs);
    run(hours(3));
    set_clock_ahead(0);
  }
  EXPECT_EQ(days(), 30U);
  run(hours(24 * 3));
  EXPECT_EQ(days(), 28U);
}

// The collector beside it has the same wrong clock, so the records' times are wrong, too.
TEST_F(RetentionGuardTest, WhereTheRecordsAreAheadTooItWaitsForAnHour) {
  run(hours(2));
  restart();
  clock_.set_wall_ns((kStart + 31 * store::kDayMs) *
                     1'000'000);  // ahead_ms_ is 0: the records follow
  run(minutes(50));
  EXPECT_EQ(days(), 30U);
  EXPECT_THAT(guard_->held_because(), HasSubstr("nothing expires"));
  clock_.set_wall_ns((kStart + 3 * kHourMs) * 1'000'000);
  times_ = std::make_unique<customers::RecordTimes>();
  restart();
  run(hours(2));
  EXPECT_EQ(days(), 30U);
  EXPECT_THAT(guard_->held_because(), IsEmpty());
}

TEST_F(RetentionGuardTest, ALongPauseEndsWithAnHourOfEvenTimeOrWithAPerson) {
  run(hours(2));
  EXPECT_FALSE(guard_->confirm());
  restart();
  clock_.set_wall_ns((kStart + 20 * store::kDayMs) * 1'000'000);  // it was off for twenty days
  run(minutes(50));
  EXPECT_EQ(days(), 30U);
  run(minutes(30));
  EXPECT_EQ(days(), 11U);
  restart();
  clock_.set_wall_ns((kStart + 24 * store::kDayMs) * 1'000'000);
  run(minutes(20));
  EXPECT_EQ(days(), 11U);
  EXPECT_TRUE(guard_->confirm());
  run(minutes(10));
  EXPECT_EQ(days(), 7U);
}

// C46: by it reads are cut, which a wrong clock must not do either.
TEST_F(RetentionGuardTest, WhatIsKnownMovesOnAsExpiryWould) {
  EXPECT_EQ(guard_->known_ms(true_ms()), 0);  // never yet
  run(hours(2));
  const TimestampMs last_ms = true_ms();
  EXPECT_EQ(guard_->known_ms(last_ms), last_ms);
  clock_.advance(minutes(5));  // no sweep since then
  EXPECT_EQ(guard_->known_ms(true_ms()), last_ms + 5 * 60'000);
  EXPECT_EQ(guard_->known_ms(0), last_ms) << "no records";
  set_clock_ahead(400 * store::kDayMs);
  EXPECT_EQ(guard_->known_ms(clock_.wall_ms()), last_ms);
  EXPECT_EQ(guard_->known_ms(true_ms()), true_ms() + kHourMs) << "the records are right";
  set_clock_ahead(-store::kDayMs);
  EXPECT_EQ(guard_->known_ms(true_ms()), last_ms);
  set_clock_ahead(0);
  restart();
  EXPECT_EQ(guard_->known_ms(0), last_ms) << "of the life before";
}

TEST_F(RetentionGuardTest, WithoutItsFileOrWithADamagedOneItWaits) {
  run(hours(2));
  for (const char* content : {"", "VGRT damaged"}) {
    sweeper_.reset();
    std::ofstream(folder_.path() + "/retention") << content;
    restart();
    clock_.advance(hours(48));
    run(minutes(50));
    EXPECT_THAT(guard_->held_because(), HasSubstr("is not known"));
    run(minutes(30));
    EXPECT_THAT(guard_->held_because(), IsEmpty());
  }
}

TEST_F(RetentionGuardTest, OneCustomersWrongTimesDoNotCount) {
  run(hours(2));
  for (std::uint32_t other : {2U, 3U}) times_->note({other}, true_ms());
  times_->note({9}, true_ms() + 900 * store::kDayMs);
  set_clock_ahead(40 * store::kDayMs);
  run(hours(2));
  EXPECT_EQ(days(), 30U);
}

// Two classes: each loses its own days, and by a clock that is ahead nobody loses any.
TEST_F(RetentionGuardTest, AClassSaysHowLongAndTheGuardWhatTimeItIs) {
  const CustomerId longer = CustomerId::parse("cliente-b").value();
  for (TimestampMs day = 0; day <= 29; ++day) {
    const TimestampMs first_ms = kStart - day * store::kDayMs;
    const store::ChunkRow row{{1},   first_ms, first_ms, store::kInOrder, store::Encoding::kFloats,
                              "data"};
    ASSERT_TRUE(chunks_->put({2}, {row}).has_value());
  }
  const RetentionRule rule{"raw",
                           [&](TimestampMs now_ms) {
                             store::ExpiryCuts cuts = cuts_after(hours(24 * 10))(now_ms);
                             cuts.own.emplace(longer, cuts_after(kKeep)(now_ms).before_ms);
                             return cuts;
                           },
                           [&](const store::ExpiryCuts& cuts) {
                             store::rocksdb::kv::DayCuts numbered(cuts.before_ms);
                             numbered.earliest_ms = cuts.earliest_ms();
                             numbered.latest_ms = cuts.latest_ms();
                             numbered.own.emplace(2, cuts.of(longer));
                             return chunks_->expire(numbered);
                           }};
  const auto days_of = [&](std::uint32_t customer) {
    return store::rocksdb::rows_of(*chunks_, {customer}, {1}, {0, INT64_MAX}).value().size();
  };
  sweeper_ = std::make_unique<RetentionSweeper>(std::vector<RetentionRule>{rule}, *guard_, *times_,
                                                hours(1'000'000));
  set_clock_ahead(400 * store::kDayMs);
  run(hours(3));  // the records are right
  EXPECT_EQ(days_of(2), 30U);
  EXPECT_EQ(days_of(1), 11U) << "ten days, and what is left of the eleventh";
  set_clock_ahead(0);
  clock_.set_wall_ns((kStart + 40 * store::kDayMs) * 1'000'000);  // and now they are ahead, too
  run(minutes(50));
  EXPECT_EQ(days_of(1), 11U);
  EXPECT_EQ(days_of(2), 30U);
}

TEST_F(RetentionGuardTest, TheGateStandsAroundCutsAndWhatGoesByThem) {
  run(hours(2));
  std::string steps;
  bool is_open = true;
  SweepGate gate;
  gate.begin = [&] {
    steps += is_open ? "begin " : "shut ";
    return is_open;
  };
  gate.end = [&] { steps += "end "; };
  const RetentionRule rule{"raw",
                           [&](TimestampMs now_ms) {
                             steps += "cuts ";
                             return cuts_after(kKeep)(now_ms);
                           },
                           [&](const store::ExpiryCuts&) -> Result<std::size_t> {
                             steps += "expire ";
                             throw std::runtime_error("a fault");
                           }};
  sweeper_ = std::make_unique<RetentionSweeper>(std::vector<RetentionRule>{rule}, *guard_, *times_,
                                                hours(1'000'000), std::move(gate));
  run(kSweep);
  is_open = false;
  run(kSweep);
  EXPECT_EQ(steps, "begin cuts expire end shut ");
}

// Who is kept longer finds what was hidden of his with the next sweep: that may be hours away.
TEST_F(RetentionGuardTest, ItsThreadSweepsOnceWhatItGoesByIsAnother) {
  run(hours(2));
  std::atomic<std::uint64_t> changes{0};
  SweepGate gate;
  gate.changes = [&] { return changes.load(); };
  RetentionSweeper waiting({}, *guard_, *times_, hours(1'000), std::move(gate));
  ++changes;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  // As long as the thread may not have asked yet what it is, it may see this one alone.
  while (waiting.sweeps() == 0 && std::chrono::steady_clock::now() < deadline) {
    ++changes;
    std::this_thread::yield();
  }
  EXPECT_GE(waiting.sweeps(), 1U);
}

TEST_F(RetentionGuardTest, ARuleThatThrowsCostsItselfAlone) {
  run(hours(2));
  int swept = 0;
  const RetentionRule bad{
      "bad", cuts_after(kKeep),
      [](const store::ExpiryCuts&) -> Result<std::size_t> { throw std::runtime_error("a fault"); }};
  const RetentionRule good{"good", cuts_after(kKeep),
                           [&](const store::ExpiryCuts&) -> Result<std::size_t> {
                             ++swept;
                             return 0U;
                           }};
  sweeper_ = std::make_unique<RetentionSweeper>(std::vector<RetentionRule>{bad, good}, *guard_,
                                                *times_, hours(1'000'000));
  run(minutes(10));
  EXPECT_EQ(swept, 1);
  EXPECT_EQ(sweeper_->sweeps(), 1U);
  const customers::RecordTimes none;
  RetentionSweeper waiting({good}, *guard_, none, hours(1'000'000));
  waiting.sweep();
  EXPECT_EQ(swept, 1) << "without records nobody knows the time";
  EXPECT_EQ(waiting.sweeps(), 1U) << "and yet it has looked";
}

}  // namespace
}  // namespace vigia::storage::retention
