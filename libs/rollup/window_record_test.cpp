// What is written is read, bit for bit; damage is found; and how many bytes it takes.
#include "libs/rollup/window_record.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/rollup/testing/random_samples.hpp"

namespace vigia::rollup {
namespace {

constexpr TimestampMs kDay = 1'764'028'800'000;
constexpr TimestampMs kFiveMinutes = 300'000;
constexpr TimestampMs kStep = 15'000;
constexpr int kSamplesOfADay = 5760;

bool is_same(const Window& left, const Window& right) {
  return left.end_ms == right.end_ms && left.count == right.count &&
         left.first_ms == right.first_ms && left.last_ms == right.last_ms &&
         is_same_value(left.first, right.first) && is_same_value(left.last, right.last) &&
         is_same_value(left.sum, right.sum) && is_same_value(left.min, right.min) &&
         is_same_value(left.max, right.max) && is_same_value(left.dropped, right.dropped) &&
         left.resets == right.resets && left.stale_ms == right.stale_ms;
}

bool comes_back(std::span<const Window> windows, TimestampMs width) {
  const auto read = read_windows(write_windows(windows, width), width);
  return read.has_value() &&
         std::equal(windows.begin(), windows.end(), read->begin(), read->end(),
                    [](const Window& left, const Window& right) { return is_same(left, right); });
}

// Each part read by itself: the very bits that it has in the whole.
bool parts_come_back(std::span<const Window> windows, TimestampMs width) {
  const std::string bytes = write_windows(windows, width);
  for (std::size_t part = 0; part < kPartNames.size(); ++part) {
    std::vector<PartOfWindow> parts = {{1, 2}};  // those of a record before stay
    PartReader reader(width, static_cast<Part>(part));
    std::vector<PartOfWindow> other;  // one before leaves nothing behind
    if (!reader.read(write_windows(windows.first(1), width), other) || other.size() != 1)
      return false;
    const auto read = reader.read(bytes, parts);
    if (!read || parts.size() != windows.size() + 1 || parts.front().end_ms != 1) return false;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const auto value = value_of(windows[i], static_cast<Part>(part), width);
      const auto& found = parts[i + 1];
      if (found.end_ms != windows[i].end_ms || found.value.has_value() != value.has_value() ||
          (value.has_value() && !is_same_value(*found.value, *value))) {
        return false;
      }
    }
  }
  return true;
}

std::vector<Window> day_of(const std::function<double(int)>& value) {
  std::vector<Sample> samples;
  for (int i = 1; i <= kSamplesOfADay; ++i) samples.push_back({kDay + i * kStep, value(i)});
  return windows_of(samples, kFiveMinutes);
}

double bytes_a_sample(const std::function<double(int)>& value) {
  const std::vector<Window> windows = day_of(value);
  EXPECT_EQ(windows.size(), 288U);
  EXPECT_TRUE(comes_back(windows, kFiveMinutes));
  return static_cast<double>(write_windows(windows, kFiveMinutes).size()) / kSamplesOfADay;
}

RC_GTEST_PROP(WindowRecordTest, EveryBitComesBack, (std::uint64_t seed)) {
  const std::vector<Sample> samples = random_samples(seed);
  for (const Resolution resolution :
       {Resolution::kFiveMinutes, Resolution::kHour, Resolution::kDay}) {
    const std::vector<Window> windows = windows_of(samples, width_ms(resolution));
    RC_ASSERT(windows.size() <= kRecordWindowsMax);
    RC_ASSERT(comes_back(windows, width_ms(resolution)));
    RC_ASSERT(parts_come_back(windows, width_ms(resolution)));
  }
}

TEST(WindowRecordTest, ValuesThatAreNoWholeNumbersComeBack) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double value : {kInfinity, -kInfinity, normalized(std::nan("")), -0.0, 0.1 + 0.2,
                             std::numeric_limits<double>::denorm_min(),
                             std::numeric_limits<double>::max(), 9007199254740993.0, -1e300}) {
    SCOPED_TRACE(value);
    const std::vector<Sample> samples = {
        {kDay + 1, 7}, {kDay + 2, value}, {kDay + 400'000, value}, {kDay + 900'000, 3}};
    EXPECT_TRUE(comes_back(windows_of(samples, kFiveMinutes), kFiveMinutes));
    EXPECT_TRUE(parts_come_back(windows_of(samples, kFiveMinutes), kFiveMinutes));
  }
}

TEST(WindowRecordTest, StaleMarksAloneComeBack) {
  const std::vector<Sample> samples = {{kDay + 1, stale_mark()}, {kDay + 900'000, stale_mark()}};
  EXPECT_TRUE(comes_back(windows_of(samples, kFiveMinutes), kFiveMinutes));
  EXPECT_TRUE(parts_come_back(windows_of(samples, kFiveMinutes), kFiveMinutes));
}

// Random samples are seldom whole numbers all, and their sums never rounded.
TEST(WindowRecordTest, PartsOfWholeNumbersComeBack) {
  const std::vector<std::vector<Window>> days = {
      day_of([](int) { return 42; }), day_of([](int i) { return i % 1500 * 25; }),
      day_of([](int i) { return i * 7919 % 10'007 / 100.0 - 50; }),
      day_of([](int i) { return i % 30 == 0 ? stale_mark() : i * 31 % 977; }),
      day_of([](int i) { return i % 2 == 0 ? 9007199254740991.0 : 1; })};
  for (const auto& windows : days) EXPECT_TRUE(parts_come_back(windows, kFiveMinutes));
}

TEST(WindowRecordTest, WhatHostsSendTakesLittle) {
  EXPECT_LT(bytes_a_sample([](int) { return 42; }), 0.01);
  EXPECT_LT(bytes_a_sample([](int i) { return 1000.0 * i; }), 0.01) << "an even counter";
  EXPECT_LT(bytes_a_sample([](int i) { return 4096.0 * (400'000 + i / 40 * 7919 % 503); }), 0.25)
      << "memory in pages";
}

TEST(WindowRecordTest, ACutRecordIsDamaged) {
  const std::string bytes = write_windows(day_of([](int i) { return i * 31 % 977; }), kFiveMinutes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto read = read_windows(std::string_view(bytes).substr(0, size), kFiveMinutes);
    ASSERT_FALSE(read.has_value()) << size;
    ASSERT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

TEST(WindowRecordTest, ACountThatSaysTooLittleIsFoundInTheWhole) {
  for (const auto& windows :
       {day_of([](int i) { return i * 31 % 977; }), day_of([](int i) { return i % 1500 * 25; }),
        day_of([](int i) { return i % 97 == 0 ? stale_mark() : i * 1e300; })}) {
    std::string bytes = write_windows(std::span(windows).first(100), kFiveMinutes);
    ASSERT_EQ(bytes[1], 100);
    for (int count = 0; count < 100; ++count) {
      bytes[1] = static_cast<char>(count);
      EXPECT_FALSE(read_windows(bytes, kFiveMinutes).has_value()) << count;
    }
  }
}

// What lies before the cut may be given, and is right; no part is made up.
TEST(WindowRecordTest, APartOfACutRecordIsDamagedOrRight) {
  const std::vector<Window> windows = day_of([](int i) { return i * 31 % 977; });
  const std::string bytes = write_windows(windows, kFiveMinutes);
  for (std::size_t part = 0; part < kPartNames.size(); ++part) {
    PartReader reader(kFiveMinutes, static_cast<Part>(part));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      std::vector<PartOfWindow> parts;
      const auto read = reader.read(std::string_view(bytes).substr(0, size), parts);
      if (!read) {
        ASSERT_EQ(read.error().code, ErrorCode::kCorrupt);
        continue;
      }
      ASSERT_EQ(parts.size(), windows.size());
      for (std::size_t i = 0; i < windows.size(); ++i) {
        ASSERT_EQ(parts[i].value, value_of(windows[i], static_cast<Part>(part), kFiveMinutes))
            << size;
      }
    }
    std::vector<PartOfWindow> parts;
    EXPECT_FALSE(reader.read(std::string_view(bytes).substr(0, 3), parts).has_value());
    EXPECT_TRUE(parts.empty());
  }
}

TEST(WindowRecordTest, AnotherVersionIsRefused) {
  std::string bytes = write_windows(day_of([](int) { return 1; }), kFiveMinutes);
  bytes[0] = 2;
  EXPECT_FALSE(read_windows(bytes, kFiveMinutes).has_value());
}

TEST(WindowRecordTest, MoreWindowsThanARecordMayHoldAreRefusedBeforeMemoryIsTakenForThem) {
  // Version, a count of 2^21 - 1, and zeros without end.
  const std::string bytes = std::string("\x01\xff\xff\x7f", 4) + std::string(64, '\xff');
  EXPECT_FALSE(read_windows(bytes, kFiveMinutes).has_value());
}

// The bytes that lie on disk, whatever the source becomes.
TEST(WindowRecordTest, TheBytesAreThoseOfTheGoldenFile) {
  const std::vector<std::vector<Window>> days = {
      day_of([](int i) { return i % 1500 * 25; }),                      // a counter with resets
      day_of([](int i) { return i * 7919 % 10'007 / 100.0 - 50; }),     // a gauge with decimals
      day_of([](int i) { return i % 97 == 0 ? stale_mark() : 1e300; })  // no whole numbers
  };
  std::ifstream golden("tests/golden/rollup/records.txt");
  for (const auto& windows : days) {
    const std::span<const Window> some = std::span(windows).first(20);
    std::string line;
    ASSERT_TRUE(std::getline(golden, line));
    EXPECT_EQ(to_hex(write_windows(some, kFiveMinutes)), line);
    const auto read = read_windows(from_hex(line).value(), kFiveMinutes);
    ASSERT_TRUE(read.has_value());
    ASSERT_EQ(read->size(), some.size());
    for (std::size_t i = 0; i < some.size(); ++i) EXPECT_TRUE(is_same((*read)[i], some[i])) << i;
  }
}

}  // namespace
}  // namespace vigia::rollup
