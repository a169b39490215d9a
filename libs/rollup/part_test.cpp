#include "libs/rollup/part.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::rollup {
namespace {

using ::testing::HasSubstr;

constexpr TimestampMs kWidthMs = 300'000;

Window sample_window() {
  Window window;
  window.end_ms = 300'000;
  window.count = 4;
  window.first_ms = 1'001;
  window.last_ms = 299'000;
  window.first = 1;
  window.last = 2;
  window.sum = 3;
  window.min = -4;
  window.max = 5;
  window.dropped = 6;
  window.resets = 7;
  return window;
}

std::optional<double> changed(Change change) {
  return change_of(sample_window(), kWidthMs, change);
}

TEST(Part, EachHasItsNameAndItsField) {
  const Window window = sample_window();
  const std::vector<std::optional<double>> values = {1,
                                                     2,
                                                     4,
                                                     3,
                                                     -4,
                                                     5,
                                                     7,
                                                     6,
                                                     1.001,
                                                     299,
                                                     std::nullopt,
                                                     changed(Change::kIncrease),
                                                     changed(Change::kRate),
                                                     changed(Change::kDelta)};
  ASSERT_EQ(values.size(), kPartNames.size());
  for (std::size_t i = 0; i < kPartNames.size(); ++i) {
    const auto asked = parse_asked("5m:" + std::string(kPartNames[i])).value();
    EXPECT_EQ(asked, (Asked{Resolution::kFiveMinutes, static_cast<Part>(i)}));
    EXPECT_EQ(to_string(asked), "5m:" + std::string(kPartNames[i]));
    EXPECT_EQ(value_of(window, asked.part, kWidthMs), values[i]) << kPartNames[i];
  }
}

TEST(Part, AWindowOfAStaleMarkHasNothingElse) {
  Window window;
  window.end_ms = 300'000;
  window.stale_ms = 200'500;
  for (std::size_t i = 0; i < kPartNames.size(); ++i) {
    const auto part = static_cast<Part>(i);
    EXPECT_EQ(value_of(window, part, kWidthMs).has_value(), part == Part::kStaleTime);
  }
  EXPECT_EQ(value_of(window, Part::kStaleTime, kWidthMs), 200.5);
}

TEST(Part, WhatDoesNotExistIsToldFromWhatIsNoQuestion) {
  const auto refused = [](std::string_view text) { return parse_asked(text).error(); };
  for (const char* text : {"", "1h", "sum"}) {
    EXPECT_EQ(refused(text).code, ErrorCode::kInvalid) << text;
  }
  for (const char* text : {"raw:sum", "2h:sum", ":sum", "1h:", "1h:mean", "1h:sum:", "1H:sum"}) {
    EXPECT_EQ(refused(text).code, ErrorCode::kNotFound) << text;
  }
  EXPECT_THAT(refused("2h:sum").message, HasSubstr("5m, 1h and 1d"));
  EXPECT_THAT(refused("1h:mean").message, HasSubstr("first, last, count"));
}

}  // namespace
}  // namespace vigia::rollup
