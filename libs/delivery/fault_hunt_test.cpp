#include "libs/delivery/fault_hunt.hpp"

#include <gtest/gtest.h>

namespace vigia::delivery {
namespace {

constexpr std::size_t kUsual = 512;
constexpr disk_log::LogPosition kFirst{1, 100};
constexpr disk_log::LogPosition kSecond{1, 200};

TEST(FaultHunt, NothingIsHuntedBeforeAFault) {
  const FaultHunt hunt;
  EXPECT_EQ(hunt.records_max(kUsual), kUsual);
  EXPECT_FALSE(hunt.is_given_up({}));
}

TEST(FaultHunt, WhatWasInHandAndTheNextGoOneAtATime) {
  FaultHunt hunt;
  hunt.note_fault(3, std::nullopt);
  for (int turn = 0; turn < 4; ++turn) {
    EXPECT_EQ(hunt.records_max(kUsual), 1U) << turn;
    hunt.note_done();
  }
  EXPECT_EQ(hunt.records_max(kUsual), kUsual);
}

TEST(FaultHunt, TheRecordWithWhichItComesAgainIsGivenUp) {
  FaultHunt hunt;
  hunt.note_fault(3, std::nullopt);
  for (int fault = 0; fault < FaultHunt::kFaultsMax; ++fault) {
    hunt.note_fault(1, kFirst);
    EXPECT_FALSE(hunt.is_given_up(kFirst)) << fault;
  }
  hunt.note_fault(1, kFirst);
  EXPECT_TRUE(hunt.is_given_up(kFirst));
  EXPECT_FALSE(hunt.is_given_up(kSecond));
  hunt.note_done();
  EXPECT_FALSE(hunt.is_given_up(kFirst));
}

TEST(FaultHunt, FaultsOfOneRecordAreNotAnothers) {
  FaultHunt hunt;
  for (int fault = 0; fault < FaultHunt::kFaultsMax; ++fault) hunt.note_fault(1, kFirst);
  hunt.note_fault(1, kSecond);
  EXPECT_FALSE(hunt.is_given_up(kSecond));
  hunt.note_fault(1, kFirst);
  EXPECT_FALSE(hunt.is_given_up(kFirst));
}

TEST(FaultHunt, AFaultWithNobodyToBlameCountsForNobody) {
  FaultHunt hunt;
  for (int fault = 0; fault < 20; ++fault) hunt.note_fault(2, std::nullopt);
  EXPECT_FALSE(hunt.is_given_up(kFirst));
}

}  // namespace
}  // namespace vigia::delivery
