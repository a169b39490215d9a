#include "libs/chunk/number_list.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "libs/chunk/residual_code.hpp"

namespace vigia::chunk {
namespace {

Numbers zigzagged(const Numbers& numbers) {
  Numbers codes(numbers.size());
  std::transform(numbers.begin(), numbers.end(), codes.begin(), zigzag);
  return codes;
}

std::uint64_t width_sum(const Numbers& numbers) {
  std::uint64_t sum = 0;
  for (const std::uint64_t number : numbers) {
    sum += static_cast<unsigned>(std::bit_width(zigzag(number)));
  }
  return sum;
}

// A reader of its own, which nobody else looks at meanwhile, stays in registers.
template <typename Take>
bool read_list(BitReader& bits, std::size_t count, Take take) {
  bool is_zero = false;
  ResidualCode code;
  if (!bits.read_bit(is_zero)) return false;
  if (is_zero) return true;
  if (!read_code(bits, code)) return false;
  BitReader own = bits;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t number = 0;
    if (!read_number(own, code, number)) return false;
    take(number);
  }
  bits = own;
  return true;
}

}  // namespace

void differentiate(Numbers& numbers) {
  std::uint64_t previous = 0;
  for (std::uint64_t& number : numbers) {
    const std::uint64_t current = number;
    number -= previous;
    previous = current;
  }
}

void integrate(std::span<std::uint64_t> numbers) {
  std::uint64_t sum = 0;
  for (std::uint64_t& number : numbers) number = sum += number;
}

unsigned choose_order(Numbers& numbers) {
  unsigned order = 0;
  std::uint64_t least = width_sum(numbers);
  Numbers best = numbers;
  for (unsigned i = 1; i <= kOrderMax; ++i) {
    differentiate(numbers);
    const std::uint64_t widths = width_sum(numbers);
    if (widths >= least) continue;
    least = widths;
    order = i;
    best = numbers;
  }
  numbers = std::move(best);
  return order;
}

void write_numbers(BitWriter& bits, const Numbers& numbers) {
  const bool is_zero =
      std::all_of(numbers.begin(), numbers.end(), [](std::uint64_t number) { return number == 0; });
  bits.write_bit(is_zero);
  if (is_zero) return;
  const Numbers codes = zigzagged(numbers);
  const ResidualCode code = choose_code(codes).code;
  write_code(bits, code);
  for (const std::uint64_t number : codes) write_number(bits, code, number);
}

bool read_numbers(BitReader& bits, std::span<std::uint64_t> numbers) {
  std::size_t place = 0;
  return read_list(bits, numbers.size(),
                   [&](std::uint64_t number) { numbers[place++] = unzigzag(number); });
}

bool skip_numbers(BitReader& bits, std::size_t count) {
  return read_list(bits, count, [](std::uint64_t) {});
}

}  // namespace vigia::chunk
