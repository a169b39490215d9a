#include "services/router/plan/thinned.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "libs/promql/fence.hpp"
#include "services/router/testing/questions.hpp"

namespace vigia::router::plan {
namespace {

using testing::kNowMs;

constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kDay = 24 * kHour;
/// The last midnight.
constexpr std::int64_t kMidnight = kNowMs / 1'000 / kDay * kDay;

struct Asked {
  std::string query;
  std::int64_t start = kMidnight - 30 * kDay;
  std::int64_t step = kDay;
  std::int64_t end = kMidnight;
};

Question question_of(const Asked& asked, const access::Caller& caller = testing::acme()) {
  auto question = read_range(caller,
                             testing::parameters_of({{"query", asked.query},
                                                     {"start", std::to_string(asked.start)},
                                                     {"end", std::to_string(asked.end)},
                                                     {"step", std::to_string(asked.step)}}),
                             testing::rules_of());
  EXPECT_TRUE(question.has_value()) << asked.query;
  return std::move(*question);
}

std::string resolution_of(const Asked& asked) {
  const auto thinned = thinned_of(question_of(asked));
  return std::string(to_string(thinned ? thinned->resolution : Resolution::kRaw));
}

TEST(Thinned, TheCoarsestThatFitsIsTaken) {
  EXPECT_EQ(resolution_of({"max_over_time(x[1d])"}), "1d");
  EXPECT_EQ(resolution_of({"max_over_time(x[7d] offset 1d)"}), "1d");
  EXPECT_EQ(resolution_of({"max_over_time(x[1d] offset 1h)"}), "1h");
  EXPECT_EQ(resolution_of({"max_over_time(x[1h])"}), "1h");
  EXPECT_EQ(resolution_of({"max_over_time(x[1d])", kMidnight - 30 * kDay, kHour}), "1h");
  EXPECT_EQ(resolution_of({"max_over_time(x[1d])", kMidnight - 30 * kDay - kHour}), "1h");
  EXPECT_EQ(resolution_of({"max_over_time(x[1d]) - min_over_time(x[1h])"}), "1h");
  EXPECT_EQ(resolution_of({"max_over_time(x[5m])"}), "5m");
  EXPECT_EQ(resolution_of({"max_over_time(x[1h])", kMidnight - 30 * kDay - 300}), "5m");
  EXPECT_EQ(resolution_of({"max_over_time(x[1m])"}), "raw");
  EXPECT_EQ(resolution_of({"max_over_time(x[1h])", kMidnight - 30 * kDay - 1}), "raw");
  EXPECT_EQ(resolution_of({"x"}), "1d");
  EXPECT_EQ(resolution_of({"x", kMidnight - 30 * kDay, kHour}), "1h");
  EXPECT_EQ(resolution_of({"x", kMidnight - 7 * kDay, 60}), "raw");
}

TEST(Thinned, WhatReachesNoFurtherThanTwoDaysIsRaw) {
  const std::int64_t edge = kNowMs / 1'000 - 2 * kDay;
  static_assert(kNowMs / 1'000 % kHour == 0);
  EXPECT_EQ(resolution_of({"max_over_time(x[1h])", edge + kHour, kHour, kNowMs / 1'000}), "raw");
  EXPECT_EQ(resolution_of({"max_over_time(x[1h])", edge, kHour, kNowMs / 1'000}), "1h");
  EXPECT_EQ(resolution_of({"vector(1)"}), "raw");
}

TEST(Thinned, ItIsFencedAndWhatItReadsIsKnown) {
  const Question question = question_of({"sum(x) / max_over_time(y[1d])"});
  const auto thinned = thinned_of(question);
  ASSERT_NE(thinned, nullptr);
  EXPECT_EQ(thinned->text, R"(sum((x{customer_id="acme",__rollup__="1d:last"} unless )"
                           R"(x{customer_id="acme",__rollup__="1d:stale_time"} and )"
                           R"(x{customer_id="acme",__rollup__="1d:last_time"} > time() - 300)) / )"
                           R"(max_over_time(y{customer_id="acme",__rollup__="1d:max"}[1d]))");
  EXPECT_TRUE(promql::is_fenced(*question.caller.customer, *thinned->expr));
  ASSERT_EQ(thinned->ranges.size(), 4U);
  EXPECT_EQ(thinned->ranges.front(), question.ranges.front());
  EXPECT_EQ(thinned->ranges.back(), question.ranges.back());
}

TEST(Thinned, OfAnOperatorThereIsNoFence) {
  access::Caller op;
  const auto thinned = thinned_of(question_of({"max_over_time(x[1d])"}, op));
  ASSERT_NE(thinned, nullptr);
  EXPECT_EQ(thinned->text, R"(max_over_time(x{__rollup__="1d:max"}[1d]))");
}

coverage::KeptFrom kept_of(std::int64_t raw, std::int64_t five_minutes, std::int64_t hour,
                           std::int64_t day) {
  return {1, {raw * 1'000, five_minutes * 1'000, hour * 1'000, day * 1'000}};
}

TEST(Thinned, WhereSamplesHaveExpiredTheFinestThatIsLeftIsNear) {
  const std::int64_t from = kMidnight - 30 * kDay;
  const Question question = question_of({"rate(x[1m])", from, 60 * kHour});
  const auto resolution = [&](const coverage::KeptFrom& kept) {
    const auto near = nearly_of(question, kept);
    EXPECT_TRUE(near == nullptr || near->is_approximate);
    return near ? std::string(to_string(near->resolution)) : "none";
  };
  const std::int64_t before = from - kDay;
  const std::int64_t behind = from + kDay;
  EXPECT_EQ(resolution(kept_of(behind, before, before, before)), "5m");
  EXPECT_EQ(resolution(kept_of(behind, behind, before, before)), "1h");
  EXPECT_EQ(resolution(kept_of(behind, behind, behind, before)), "1d");
  EXPECT_EQ(resolution(kept_of(behind, behind, behind, behind)), "5m");
  EXPECT_EQ(resolution(kept_of(behind, behind, behind - 1, behind)), "1h")
      << "which reaches further";
  EXPECT_EQ(nearly_of(question_of({"irate(x[1m])"}), kept_of(behind, 0, 0, 0)), nullptr);
  const auto near = nearly_of(question, kept_of(behind, 0, 0, 0));
  ASSERT_NE(near, nullptr);
  EXPECT_EQ(near->text, R"(sum_over_time(x{customer_id="acme",__rollup__="5m:rate"}[5m]))");
}

TEST(Thinned, OfAStoreThatIsYoungerThanWhatItKeepsNothingHasExpired) {
  coverage::KeptFrom kept = kept_of(1'000, 0, 0, 0);
  EXPECT_TRUE(kept.has_expired(Resolution::kRaw, 999'999));
  EXPECT_FALSE(kept.has_expired(Resolution::kRaw, 1'000'000));
  EXPECT_FALSE(kept.has_expired(Resolution::kHour, 0));
  kept.made_ms = 1'000'000;
  EXPECT_FALSE(kept.has_expired(Resolution::kRaw, 0));
}

// It has three selectors for each: what is too long in this form is read raw.
TEST(Thinned, AFormThatIsTooLongIsNone) {
  const auto selectors = [](std::size_t count) {
    std::string query;
    for (std::size_t i = 0; i < count; ++i) {
      query += (i > 0 ? " or " : "") + ("x{a=~\"" + std::string(400, 'b') + ".+\"}");
    }
    return query;
  };
  EXPECT_NE(thinned_of(question_of({selectors(5)})), nullptr);
  EXPECT_EQ(thinned_of(question_of({selectors(30)})), nullptr);
}

}  // namespace
}  // namespace vigia::router::plan
