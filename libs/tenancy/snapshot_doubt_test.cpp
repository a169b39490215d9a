#include "libs/tenancy/snapshot_doubt.hpp"

#include <gtest/gtest.h>

#include "libs/tenancy/directory_document.hpp"

namespace vigia::tenancy {
namespace {

/// Customers c0, c1, … without those in `without`.
Directory::ReadDocument snapshot(SnapshotMark mark, std::size_t customers,
                                 std::size_t missing = 0) {
  std::string text = R"({"customers":[)";
  for (std::size_t i = missing; i < customers; ++i) {
    if (i > missing) text += ',';
    text += R"({"id":"c)" + std::to_string(i) + R"("})";
  }
  text += "]}";
  auto parsed = read_document(text, "test");
  EXPECT_TRUE(parsed.has_value());
  parsed->mark = std::move(mark);
  return *std::move(parsed);
}

TEST(SnapshotDoubt, GrowthAndASmallLossAreTakenAtOnce) {
  const auto current = snapshot({"d", 5, 0, 0}, 20);
  EXPECT_EQ(doubt_of(current, snapshot({"d", 6, 0, 0}, 25)), "");
  EXPECT_EQ(doubt_of(current, snapshot({"d", 5, 0, 0}, 20)), "");
  EXPECT_EQ(doubt_of(current, snapshot({"d", 6, 0, 0}, 20, 2)), "") << "a tenth is no more than it";
}

TEST(SnapshotDoubt, ARevisionThatGoesBackIsDoubted) {
  const auto current = snapshot({"d", 5, 0, 0}, 20);
  EXPECT_NE(doubt_of(current, snapshot({"d", 4, 0, 0}, 20)), "");
  EXPECT_NE(doubt_of(current, snapshot({"d", 4, 0, 0}, 25)), "");
}

TEST(SnapshotDoubt, ManyMissingAtOnceAreDoubtedWithAndWithoutARevision) {
  for (const char* database : {"d", ""}) {
    const auto current = snapshot({database, 5, 0, 0}, 20);
    EXPECT_NE(doubt_of(current, snapshot({database, 6, 0, 0}, 20, 3)), "");
    EXPECT_NE(doubt_of(current, snapshot({database, 6, 0, 0}, 20, 20)), "");
  }
  EXPECT_NE(doubt_of(snapshot({"", 0, 0, 0}, 1), snapshot({"", 0, 0, 0}, 0)), "");
  EXPECT_NE(doubt_of(snapshot({"d", 5, 0, 0}, 2), snapshot({"e", 9, 2, 0}, 0)), "")
      << "another database's count of removals explains nothing";
}

TEST(SnapshotDoubt, WhatAPersonRemovedTakesEffectAtOnce) {
  const auto current = snapshot({"d", 5, 7, 0}, 4);
  EXPECT_EQ(doubt_of(current, snapshot({"d", 6, 8, 0}, 4, 1)), "");
  EXPECT_EQ(doubt_of(current, snapshot({"d", 9, 11, 0}, 4, 4)), "") << "all four, one by one";
  EXPECT_NE(doubt_of(current, snapshot({"d", 9, 10, 0}, 4, 4)), "") << "one of them is unexplained";
  EXPECT_EQ(unexplained_losses(current, snapshot({"d", 9, 10, 0}, 4, 4)), 1U);
}

TEST(SnapshotDoubt, AConfirmationEndsItOnlyWhereItIsNewer) {
  const auto current = snapshot({"d", 5, 0, 3}, 4);
  EXPECT_EQ(doubt_of(current, snapshot({"d", 6, 0, 6}, 4, 4)), "");
  EXPECT_EQ(doubt_of(current, snapshot({"e", 6, 0, 6}, 4, 4)), "");
  EXPECT_NE(doubt_of(current, snapshot({"d", 6, 0, 3}, 4, 4)), "");
  EXPECT_NE(doubt_of(current, snapshot({"d", 4, 0, 4}, 4, 4)), "");
}

TEST(SnapshotDoubt, AMonitorOfBeforeIsJudgedByItsCustomersAlone) {
  EXPECT_EQ(doubt_of(snapshot({"", 0, 0, 0}, 3), snapshot({"d", 1, 0, 0}, 3)), "");
  EXPECT_EQ(doubt_of(snapshot({"d", 8, 0, 0}, 3), snapshot({"", 0, 0, 0}, 3)), "");
}

}  // namespace
}  // namespace vigia::tenancy
