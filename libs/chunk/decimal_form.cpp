#include "libs/chunk/decimal_form.hpp"

#include <bit>
#include <cmath>
#include <cstddef>

namespace vigia::chunk {
namespace {

constexpr double kTooLarge = 9223372036854775808.0;  // 2^63

class FormSearch {
 public:
  explicit FormSearch(const std::vector<Sample>& samples) : samples_(samples) {
    numbers_.reserve(samples.size());
  }

  std::optional<DecimalForm> find() {
    // First those that take no more bits than the number of decimals, and most values have.
    for (unsigned decimals = 0; decimals <= kDecimalsMax; ++decimals) {
      if (fits({decimals, Making::kDivided})) return DecimalForm{decimals, Making::kDivided};
    }
    for (unsigned decimals = 1; decimals <= kFormDecimalsMax; ++decimals) {
      for (const Making making :
           {Making::kDivided, Making::kMultiplied, Making::kDividedTwice, Making::kInTwoParts}) {
        const bool is_tried = making == Making::kDivided && decimals <= kDecimalsMax;
        const bool is_one = making != Making::kDividedTwice || decimals > kThousandDecimals;
        if (!is_tried && is_one && fits({decimals, making})) return DecimalForm{decimals, making};
      }
    }
    return std::nullopt;
  }
  Numbers take_numbers() { return std::move(numbers_); }

 private:
  bool fits(const DecimalForm& form) {
    const double power = kFormPowers[form.decimals];
    return with_value_of(form, [&](auto value_of) {
      const auto number_of = [&](const Sample& sample) -> std::optional<std::int64_t> {
        const double scaled = std::nearbyint(sample.value * power);
        if (!(std::abs(scaled) < kTooLarge)) return std::nullopt;
        const auto number = static_cast<std::int64_t>(scaled);
        // Tried, not proved: what is done at reading is done here already.
        const bool comes_back = std::bit_cast<std::uint64_t>(value_of(number)) ==
                                std::bit_cast<std::uint64_t>(sample.value);
        return comes_back ? std::optional(number) : std::nullopt;
      };
      return number_of(samples_[hard_]).has_value() && take_all(number_of);
    });
  }

  template <typename NumberOf>
  bool take_all(NumberOf number_of) {
    numbers_.clear();
    for (const Sample& sample : samples_) {
      const std::optional<std::int64_t> number = number_of(sample);
      if (!number.has_value()) {
        hard_ = numbers_.size();
        return false;
      }
      numbers_.push_back(static_cast<std::uint64_t>(*number));
    }
    return true;
  }

  const std::vector<Sample>& samples_;
  Numbers numbers_;
  // The sample at which the last form failed: behind many zeros it would be found by each anew.
  std::size_t hard_ = 0;
};

}  // namespace

std::optional<std::pair<DecimalForm, Numbers>> find_form(const std::vector<Sample>& samples) {
  FormSearch search(samples);
  const auto form = search.find();
  if (!form.has_value()) return std::nullopt;
  return std::pair(*form, search.take_numbers());
}

}  // namespace vigia::chunk
