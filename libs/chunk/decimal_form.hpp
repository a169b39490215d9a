// Values as whole numbers, in each of the ways in which programs make values of whole numbers.
// Format: docs/formats/chunk.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "libs/chunk/number_list.hpp"
#include "libs/model/sample.hpp"

namespace vigia::chunk {

/// What was done with a whole number n. Of the same n and number of decimals d the values differ in
/// their last bits, so each comes back by its own way alone. The numbers are on disks.
enum class Making : std::uint8_t {
  kDivided = 0,       ///< n / 10^d, as the text of the number is read
  kMultiplied = 1,    ///< n × 10^-d, which is rounded before: milliseconds by 0.001
  kDividedTwice = 2,  ///< n / 1000 / 10^(d - 3): microseconds to milliseconds to seconds
  kInTwoParts = 3,    ///< the whole part of n / 10^d, and the rest of it / 10^d: Go's durations
};

inline constexpr unsigned kFormDecimalsMax = 12;
inline constexpr unsigned kNanoDecimals = 9;
inline constexpr unsigned kThousandDecimals = 3;  ///< the fewest of kDividedTwice

struct DecimalForm {
  unsigned decimals = 0;  ///< at most kFormDecimalsMax; kDividedTwice: at least kThousandDecimals
  Making making = Making::kDivided;
  auto operator<=>(const DecimalForm&) const = default;
};

inline constexpr std::array<double, kFormDecimalsMax + 1> kFormPowers = {
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};  ///< of ten, all exact

/// Calls `use` with the function that makes a value of a whole number in this form: which one it is
/// is asked once for all of a chunk's numbers. Stands here because it is put into their loops.
template <typename Use>
auto with_value_of(const DecimalForm& form, Use use) {
  static constexpr std::array<double, kFormDecimalsMax + 1> kParts = {
      1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12};
  const double power = kFormPowers[form.decimals];
  switch (form.making) {
    case Making::kMultiplied:
      return use([part = kParts[form.decimals]](std::int64_t number) {
        return static_cast<double>(number) * part;
      });
    case Making::kDividedTwice:
      return use([rest = kFormPowers[form.decimals - kThousandDecimals]](std::int64_t number) {
        return static_cast<double>(number) / kFormPowers[kThousandDecimals] / rest;
      });
    case Making::kInTwoParts:
      // Nanoseconds, nearly always: by a number that the compiler knows it multiplies.
      if (form.decimals == kNanoDecimals) {
        return use([](std::int64_t number) {
          constexpr std::int64_t kWhole = 1'000'000'000;
          return static_cast<double>(number / kWhole) +
                 static_cast<double>(number % kWhole) / kFormPowers[kNanoDecimals];
        });
      }
      return use([power, whole = static_cast<std::int64_t>(power)](std::int64_t number) {
        return static_cast<double>(number / whole) + static_cast<double>(number % whole) / power;
      });
    case Making::kDivided:
      break;
  }
  return use([power](std::int64_t number) { return static_cast<double>(number) / power; });
}

/// The form with the fewest decimals in which every bit of all values comes back, and the values'
/// whole numbers. Nothing where there is none: NaNs, infinities and -0 have none.
/// REQUIRES: samples are not empty.
std::optional<std::pair<DecimalForm, Numbers>> find_form(const std::vector<Sample>& samples);

}  // namespace vigia::chunk
