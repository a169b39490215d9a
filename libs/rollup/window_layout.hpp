// What the writer and the reader of a record of windows both know. Format: docs/formats/rollup.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "libs/chunk/number_list.hpp"
#include "libs/rollup/window.hpp"

namespace vigia::rollup {

inline constexpr std::uint64_t kRecordVersion = 1;
inline constexpr unsigned kRecordVersionBits = 8;

/// The fields that are values of samples, in the order of their columns.
inline constexpr std::array kSampleFields = {&Window::first, &Window::last, &Window::min,
                                             &Window::max};
/// The places of the columns.
enum SampleColumn : std::size_t { kFirst, kLast, kMin, kMax };
/// Of them, as whole numbers.
using Wholes = std::array<chunk::Numbers, kSampleFields.size()>;

inline bool is_below(std::uint64_t left, std::uint64_t right) {
  return static_cast<std::int64_t>(left) < static_cast<std::int64_t>(right);
}

/// What the columns hold is what a neighbour does not tell already: a window mostly begins near
/// where the one before ended, and the extremes are mostly its ends.
struct PredictedExtremes {
  std::uint64_t min, max;
};
inline PredictedExtremes extremes_of(std::uint64_t first, std::uint64_t last) {
  return is_below(last, first) ? PredictedExtremes{last, first} : PredictedExtremes{first, last};
}

/// Of whole numbers that are even over the window, times two to stay whole.
inline std::uint64_t predicted_sum(std::uint64_t count, std::uint64_t first, std::uint64_t last) {
  const auto twice = static_cast<std::int64_t>(count * (first + last));
  return static_cast<std::uint64_t>(twice >> 1U);
}

}  // namespace vigia::rollup
