#include "services/storage/store/rocksdb/kv/damage_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/kv/repeated_trouble.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class DamageQueueTest : public testing::Test {
 protected:
  DamageQueue::Found found() { return queue_.wait(Duration(0)); }

  ManualClock clock_{0};
  DamageQueue queue_{clock_};
};

TEST_F(DamageQueueTest, WhatIsPutOffComesAgainAfterAPauseHoweverOftenItIsMet) {
  EXPECT_TRUE(queue_.add(7, "a read"));
  EXPECT_THAT(found(), ElementsAre(Pair(7, "a read")));
  queue_.put_off(7, "a read");
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(queue_.add(7, "another read"));
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_TRUE(queue_.add(8, "a read"));
  EXPECT_THAT(found(), ElementsAre(Pair(8, "a read"))) << "others do not wait with it";
  clock_.advance(kDamagePauseFirst);
  EXPECT_THAT(found(), ElementsAre(Pair(7, "a read")));
  EXPECT_THAT(found(), IsEmpty()) << "it is being tried";
}

TEST_F(DamageQueueTest, ThePauseGrowsToTheLongestAndIsTheFirstAgainOnceItIsSettled) {
  Duration pause = kDamagePauseFirst;
  for (int round = 0; round < 10; ++round) {
    queue_.add(7, "met while it is tried");
    queue_.put_off(7, "full");
    clock_.advance(pause - Duration(1));
    EXPECT_THAT(found(), IsEmpty()) << round;
    clock_.advance(Duration(1));
    EXPECT_THAT(found(), ElementsAre(Pair(7, "full"))) << round;
    pause = std::min(pause * 2, kDamagePauseMax);
  }
  EXPECT_EQ(pause, kDamagePauseMax);
  queue_.settle(7);
  queue_.put_off(7, "full");
  clock_.advance(kDamagePauseFirst);
  EXPECT_THAT(found(), ElementsAre(Pair(7, "full")));
}

TEST_F(DamageQueueTest, WhatIsGivenUpIsNotAwaited) {
  queue_.put_off(7, "full");
  queue_.give_up(7);
  clock_.advance(kDamagePauseMax);
  EXPECT_FALSE(queue_.add(7, "a read"));
  EXPECT_THAT(found(), IsEmpty());
}

TEST(RepeatedTroubleTest, OneKindIsNewsOnceAMinuteWhateverItsNumbers) {
  ManualClock clock(0);
  RepeatedTrouble trouble(clock);
  EXPECT_TRUE(trouble.is_news("the disk has 100 MiB free, 101 are needed"));
  EXPECT_FALSE(trouble.is_news("the disk has 99 MiB free, 1000 are needed"));
  EXPECT_TRUE(trouble.is_news("no such file"));
  EXPECT_FALSE(trouble.is_news("no such file"));
  clock.advance(kTroublePause);
  EXPECT_TRUE(trouble.is_news("the disk has 98 MiB free, 101 are needed"));
}

TEST(RepeatedTroubleTest, KindsThatAreAllDifferentAreBounded) {
  ManualClock clock(0);
  RepeatedTrouble trouble(clock);
  int told = 0;
  for (int i = 0; i < 1'000; ++i) told += trouble.is_news(std::string(i, 'x')) ? 1 : 0;
  EXPECT_EQ(told, static_cast<int>(kTroubleKindsMax));
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
