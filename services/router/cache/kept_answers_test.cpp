#include "services/router/cache/kept_answers.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vigia::router::cache {
namespace {

constexpr std::size_t kKiB = 1'024;

/// Of about so many bytes.
std::shared_ptr<const KeptAnswer> answer_of(std::size_t bytes, std::string state = "1",
                                            TimePoint read_at = TimePoint{}) {
  const std::string value(bytes, '1');
  const auto matrix = KeptMatrix::read(
      fmt::format(
          R"({{"resultType":"matrix","result":[{{"metric":{{}},"values":[[1000,"{}"]]}}]}})",
          value),
      {1'000'000, 1'000, 1}, 0, 1);
  EXPECT_TRUE(matrix.has_value());
  return std::make_shared<const KeptAnswer>(KeptAnswer{std::move(state), read_at, *matrix});
}

bool has(KeptAnswers& kept, const std::string& customer, const std::string& key,
         const std::string& state = "1", TimePoint now = TimePoint{}) {
  return kept.find(customer, key, state, now) != nullptr;
}

TEST(KeptAnswers, AreFoundByCustomerKeyAndState) {
  KeptAnswers kept{{}};
  kept.keep("acme", "up", answer_of(10));
  EXPECT_TRUE(has(kept, "acme", "up"));
  EXPECT_FALSE(has(kept, "other", "up"));
  EXPECT_FALSE(has(kept, "", "up"));
  EXPECT_FALSE(has(kept, "acme", "down"));
  EXPECT_TRUE(has(kept, "acme", "up"));
  EXPECT_FALSE(has(kept, "acme", "up", "2"));
  EXPECT_FALSE(has(kept, "acme", "up")) << "what was written to once is wrong for good";
  EXPECT_EQ(kept.stats().outdated, 1U);
  EXPECT_EQ(kept.stats().bytes, 0U);
}

TEST(KeptAnswers, AreTooOldAfterAWhile) {
  KeptAnswers kept{{}};
  const TimePoint later = TimePoint{} + KeptAnswers::kAgeMax;
  kept.keep("acme", "up", answer_of(10));
  EXPECT_TRUE(has(kept, "acme", "up", "1", later));
  EXPECT_FALSE(has(kept, "acme", "up", "1", later + Duration(1)));
  kept.keep("gone", "up", answer_of(10));
  kept.keep("gone", "down", answer_of(10, "1", later));
  kept.let_old_go(later + Duration(1));
  EXPECT_EQ(kept.stats().answers, 1U) << "also of who asks no more";
  EXPECT_EQ(kept.stats().aged, 2U);
}

TEST(KeptAnswers, TheLastOneOfAKeyCounts) {
  KeptAnswers kept{{}};
  kept.keep("acme", "up", answer_of(10));
  const auto bytes = kept.stats().bytes;
  kept.keep("acme", "up", answer_of(10, "2"));
  EXPECT_EQ(kept.stats().bytes, bytes);
  EXPECT_TRUE(has(kept, "acme", "up", "2"));
}

TEST(KeptAnswers, WhatWasUsedLeastLatelyMakesRoom) {
  KeptAnswers kept{{100 * kKiB, 8 * kKiB}};
  kept.keep("acme", "a", answer_of(3 * kKiB));
  kept.keep("acme", "b", answer_of(3 * kKiB));
  EXPECT_TRUE(has(kept, "acme", "a"));
  kept.keep("acme", "c", answer_of(3 * kKiB));
  EXPECT_TRUE(has(kept, "acme", "a"));
  EXPECT_FALSE(has(kept, "acme", "b"));
  EXPECT_EQ(kept.stats().crowded, 1U);
  kept.keep("acme", "d", answer_of(9 * kKiB));
  EXPECT_FALSE(has(kept, "acme", "d")) << "larger than all its room";
  EXPECT_TRUE(has(kept, "acme", "c"));
}

TEST(KeptAnswers, WhoeverIsNewFindsRoomBesideWhoFillsHisOwn) {
  KeptAnswers kept{{90 * kKiB, 90 * kKiB}};
  for (int i = 0; i < 100; ++i) kept.keep("greedy", std::to_string(i), answer_of(4 * kKiB));
  EXPECT_LE(kept.stats().bytes, 45 * kKiB) << "one part of two";
  for (int i = 0; i < 6; ++i) kept.keep("modest", std::to_string(i), answer_of(4 * kKiB));
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(has(kept, "modest", std::to_string(i)));
  EXPECT_TRUE(has(kept, "greedy", "99"));
  for (int i = 0; i < 100; ++i) kept.keep("greedy", std::to_string(i), answer_of(4 * kKiB));
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(has(kept, "modest", std::to_string(i)));
  for (int i = 0; i < 40; ++i) kept.keep(fmt::format("{}", i), "a", answer_of(kKiB));
  EXPECT_LE(kept.stats().bytes, 90 * kKiB);
  EXPECT_TRUE(has(kept, "39", "a"));
}

TEST(KeptAnswers, NoneAreKeptWhereThereIsNoRoomForAny) {
  KeptAnswers kept{{0, kKiB}};
  EXPECT_FALSE(kept.is_on());
  kept.keep("acme", "up", answer_of(10));
  EXPECT_EQ(kept.stats().answers, 0U);
}

}  // namespace
}  // namespace vigia::router::cache
